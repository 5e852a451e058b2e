<?php
// Receives events: checks who sent them, takes each one once, answers at once.
//
//     WEBHOOK_SECRET=whsec_... php -S 127.0.0.1:4242 standard.php
//
// PHP 8.0 or newer, nothing to install; a web server runs it just as well. The event is
// handled in handle(), below.

declare(strict_types=1);

// Seconds that the sender's clock and yours may be apart.
const TOLERANCE = 5 * 60;
const LARGEST = 1024 * 1024;

// Your part. Whatever takes long belongs into a queue of your own. Events may come twice
// and in any order: the object's `sequence` grows with every change, so one that is
// smaller than what you know is old news.
function handle(array $event): void
{
    $purchase = $event['object'];
    if ($event['event'] === 'payment.success' && ($purchase['verified'] ?? true)) {
        error_log("paid: {$purchase['id']} {$purchase['amount']} {$purchase['currency']}");
    }
}

// The status and the text to answer with.
function receive(string $id, string $stamp, string $given, string $body): array
{
    if (!isSigned($id, $stamp, $given, $body)) {
        return [401, 'The signature is wrong.'];
    }
    if (abs(time() - (int) $stamp) > TOLERANCE) {
        return [401, 'The letter is too old, or a clock is wrong.'];
    }
    $event = json_decode($body, true);
    if (!is_array($event)) {
        return [400, 'This is no JSON.'];
    }
    if (!claim($id)) {
        return [200, 'Known already.'];
    }
    try {
        handle($event);
    } catch (Throwable $error) {
        unlink(fileOf($id)); // so that the next try is not a duplicate
        throw $error;
    }
    return [200, 'Thank you.'];
}

// Whether one of the signatures was made with one of the secrets. While a secret is being
// rolled, WEBHOOK_SECRET holds both, with a blank between them.
function isSigned(string $id, string $stamp, string $given, string $body): bool
{
    if (!preg_match('/\A[0-9]{1,15}\z/', $stamp)) {
        return false;
    }
    $good = false;
    foreach (preg_split('/\s+/', trim((string) getenv('WEBHOOK_SECRET'))) as $secret) {
        $key = base64_decode(preg_replace('/\Awhsec_/', '', $secret), true);
        if ($key === false || $key === '') {
            continue;
        }
        $made = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$stamp.$body", $key, true));
        foreach (explode(' ', $given) as $one) {
            $good = hash_equals($made, $one) || $good;
        }
    }
    return $good;
}

// Whether this event is new: an empty file for each one that was handled. Two copies at
// the same moment: one of them is new. A unique column of your database is as good.
function claim(string $id): bool
{
    $file = fileOf($id);
    if (!is_dir(dirname($file))) {
        @mkdir(dirname($file), 0700, true);
    }
    $made = @fopen($file, 'x');
    if ($made === false) {
        if (file_exists($file)) {
            return false;
        }
        throw new RuntimeException("cannot write $file");
    }
    fclose($made);
    return true;
}

function fileOf(string $id): string
{
    return (getenv('EVENTS_DONE') ?: 'events-done') . '/' . hash('sha256', $id);
}

// The bytes as they came: JSON that was read and written again differs.
$body = file_get_contents('php://input', false, null, 0, LARGEST + 1);
try {
    [$status, $text] = match (true) {
        $_SERVER['REQUEST_METHOD'] !== 'POST' => [405, 'Events are posted.'],
        strlen($body) > LARGEST => [413, 'Too large.'],
        default => receive(
            $_SERVER['HTTP_WEBHOOK_ID'] ?? '',
            $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '',
            $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '',
            $body,
        ),
    };
} catch (Throwable $error) {
    error_log('failed: ' . $error->getMessage());
    [$status, $text] = [500, 'It failed here; send it again.'];
}
http_response_code($status);
header('Content-Type: text/plain; charset=utf-8');
echo $text;
