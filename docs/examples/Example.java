// Usage: URL=... KEY=... java Example.java ada-1.jpg today.jpg     (Java 11 or later)
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;

public class Example {
    // Java would offer HTTP/2 first, which is not taken.
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    public static void main(String[] arguments) throws Exception {
        post("/v1/enroll", "images", Path.of(arguments[0]));
        System.out.println(post("/v1/verify", "image", Path.of(arguments[1])));
    }

    /** Sends one picture of an identity; the answer's JSON. */
    private static String post(String route, String field, Path picture)
            throws IOException, InterruptedException {
        String boundary = UUID.randomUUID().toString();
        HttpRequest request = HttpRequest.newBuilder(URI.create(System.getenv("URL") + route))
                .timeout(Duration.ofMinutes(1))
                .header("Content-Type", "multipart/form-data; boundary=" + boundary)
                .header("Authorization", "Bearer " + System.getenv("KEY"))
                .POST(HttpRequest.BodyPublishers.ofByteArray(form(boundary, field, picture)))
                .build();
        HttpResponse<String> answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() >= 300) {
            throw new IOException(answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    private static byte[] form(String boundary, String field, Path picture) throws IOException {
        String begin = "--" + boundary + "\r\nContent-Disposition: form-data; name=";
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.write((begin + "\"identity\"\r\n\r\nada\r\n").getBytes(StandardCharsets.UTF_8));
        body.write((begin + "\"" + field + "\"; filename=\"picture\"\r\n\r\n")
                .getBytes(StandardCharsets.UTF_8));
        body.write(Files.readAllBytes(picture));
        body.write(("\r\n--" + boundary + "--\r\n").getBytes(StandardCharsets.UTF_8));
        return body.toByteArray();
    }
}
