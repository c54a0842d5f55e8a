// Usage: URL=... KEY=... and the arguments ada-1.jpg today.jpg; any .NET, or Mono
using System;
using System.IO;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading.Tasks;

public static class Example
{
    private static readonly HttpClient Client = new HttpClient { Timeout = TimeSpan.FromMinutes(1) };

    public static int Main(string[] arguments)
    {
        return Run(arguments).GetAwaiter().GetResult();
    }

    private static async Task<int> Run(string[] arguments)
    {
        var key = Environment.GetEnvironmentVariable("KEY");
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        await Post("/v1/enroll", "images", arguments[0]);
        Console.WriteLine(await Post("/v1/verify", "image", arguments[1]));
        return 0;
    }

    /// <summary>Sends one picture of an identity; the answer's JSON.</summary>
    private static async Task<string> Post(string route, string field, string picture)
    {
        var url = Environment.GetEnvironmentVariable("URL") + route;
        using (var form = new MultipartFormDataContent())
        {
            form.Add(new StringContent("ada"), "identity");
            form.Add(new ByteArrayContent(File.ReadAllBytes(picture)), field, "picture");
            using (var answer = await Client.PostAsync(url, form))
            {
                var said = await answer.Content.ReadAsStringAsync();
                if (!answer.IsSuccessStatusCode)
                {
                    throw new HttpRequestException((int)answer.StatusCode + " " + said);
                }
                return said;
            }
        }
    }
}
