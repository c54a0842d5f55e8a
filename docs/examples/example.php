<?php
// Usage: URL=... KEY=... php example.php ada-1.jpg today.jpg      (with the extension curl)
declare(strict_types=1);

/** Sends one picture of an identity; the answer. */
function post(string $route, string $field, string $picture): array
{
    $request = curl_init(getenv('URL') . $route);
    curl_setopt_array($request, [
        CURLOPT_POSTFIELDS => ['identity' => 'ada', $field => new CURLFile($picture)],
        CURLOPT_HTTPHEADER => ['Authorization: Bearer ' . getenv('KEY')],
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 60,
    ]);
    $said = curl_exec($request);
    if ($said === false) {
        throw new RuntimeException(curl_error($request));
    }
    $answer = json_decode($said, true, 64, JSON_THROW_ON_ERROR);
    if (curl_getinfo($request, CURLINFO_RESPONSE_CODE) >= 300) {
        throw new RuntimeException("{$answer['code']}: {$answer['detail']}");
    }
    return $answer;
}

post('/v1/enroll', 'images', $argv[1]);
$answer = post('/v1/verify', 'image', $argv[2]);
echo json_encode(['identity' => $answer['identity'], 'verified' => $answer['verified']]), "\n";
