// Receives purchases and payouts in Paysecure's words: checks them, takes each state once.
//
//     PUBLIC_KEY=MIIB... java paysecure.java
//
// Java 17 or newer, nothing to install. PUBLIC_KEY is the DER form in base64 that the
// endpoint's page shows; while a key pair is being rolled: both, with a blank between
// them. The purchase is handled in handle(), below.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;

class Receiver {
    static final int LARGEST = 1024 * 1024;
    static final List<PublicKey> KEYS = new ArrayList<>();
    // An empty file for each state that was handled; a unique column of your database is
    // as good.
    static final Path DONE = Path.of(setting("EVENTS_DONE", "events-done"));

    // Your part. Whatever takes long belongs into a queue of your own. The signature
    // covers id, status and brand alone: before you hand anything over, ask
    // GET /v1/purchases/{id} with your API key, and believe the amount that it answers.
    static void handle(Map<?, ?> told) {
        boolean test = Boolean.TRUE.equals(told.get("is_test"));
        if ("PAID".equals(told.get("status")) && told.containsKey("purchaseId") && !test) {
            System.out.println("paid: " + told.get("purchaseId"));
        }
    }

    // The status to answer with.
    static int receive(String signature, byte[] body) throws Exception {
        Map<?, ?> told;
        try {
            told = unwrapped(new Json(new String(body, StandardCharsets.UTF_8)).read());
        } catch (IllegalArgumentException problem) {
            return 400;
        }
        if (signature == null || !isSigned(signature, signedText(told))) {
            return 401;
        }
        // There is no event id: a state of a purchase is what happens once.
        String id = signedText(told) + "|" + told.get("updated_on");
        if (!claim(id)) {
            return 200;
        }
        try {
            handle(told);
        } catch (RuntimeException problem) {
            Files.delete(fileOf(id)); // so that the next letter is not a duplicate
            throw problem;
        }
        return 200;
    }

    // Purchases come as {"message": ...}, payouts as {"payload": ...}, or either bare.
    static Map<?, ?> unwrapped(Object read) {
        if (!(read instanceof Map<?, ?> root)) {
            throw new IllegalArgumentException("not an object");
        }
        for (String name : List.of("message", "payload")) {
            if (root.get(name) instanceof Map<?, ?> inner) {
                return inner;
            }
        }
        return root;
    }

    static String signedText(Map<?, ?> told) {
        if (told.containsKey("payoutId")) {
            return told.get("payoutId") + "|" + told.get("status");
        }
        Object brand = told.containsKey("brand_id") ? told.get("brand_id") : told.get("brandId");
        return told.get("purchaseId") + "|" + told.get("status") + "|" + brand;
    }

    static boolean isSigned(String signature, String text) throws GeneralSecurityException {
        // A server that gets both spellings of the header joins them with a comma.
        for (String one : signature.split(",")) {
            byte[] given;
            try {
                given = Base64.getDecoder().decode(one.strip());
            } catch (IllegalArgumentException problem) {
                continue;
            }
            for (PublicKey key : KEYS) {
                Signature verifier = Signature.getInstance("SHA256withRSA");
                verifier.initVerify(key);
                verifier.update(text.getBytes(StandardCharsets.UTF_8));
                try {
                    if (verifier.verify(given)) {
                        return true;
                    }
                } catch (GeneralSecurityException problem) {
                    // of another length than any signature: the next one
                }
            }
        }
        return false;
    }

    // Whether this state is new. Two copies at the same moment: one of them is.
    static boolean claim(String id) throws Exception {
        Files.createDirectories(DONE);
        try {
            Files.createFile(fileOf(id));
        } catch (FileAlreadyExistsException known) {
            return false;
        }
        return true;
    }

    static Path fileOf(String id) throws GeneralSecurityException {
        byte[] text = id.getBytes(StandardCharsets.UTF_8);
        byte[] sum = MessageDigest.getInstance("SHA-256").digest(text);
        return DONE.resolve(HexFormat.of().formatHex(sum));
    }

    static void answer(HttpExchange exchange) throws IOException {
        int status = 500;
        try (exchange) {
            byte[] body = exchange.getRequestBody().readNBytes(LARGEST + 1);
            if (!"POST".equals(exchange.getRequestMethod())) {
                status = 405;
            } else if (body.length > LARGEST) {
                status = 413;
            } else {
                String signature = exchange.getRequestHeaders().getFirst("paysecure-sign");
                if (signature == null) {
                    signature = exchange.getRequestHeaders().getFirst("paysecure_sign");
                }
                status = receive(signature, body);
            }
            exchange.sendResponseHeaders(status, -1);
        } catch (Exception problem) {
            System.err.println("failed: " + problem);
            exchange.sendResponseHeaders(500, -1);
        }
    }

    static String setting(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }

    public static void main(String[] words) throws Exception {
        for (String text : setting("PUBLIC_KEY", "").split("\\s+")) {
            byte[] der = Base64.getDecoder().decode(text);
            KEYS.add(KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(der)));
        }
        int port = Integer.parseInt(setting("PORT", "4242"));
        HttpServer server =
            HttpServer.create(new InetSocketAddress(setting("HOST", "127.0.0.1"), port), 0);
        server.createContext("/", Receiver::answer);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
    }
}

// As much of JSON as letters need, for want of a reader in Java itself: with Jackson or
// Gson at hand, use theirs. Numbers become BigDecimal, so that no amount is rounded.
class Json {
    private final String text;
    private int at = 0;

    Json(String text) {
        this.text = text;
    }

    Object read() {
        Object value = value();
        if (peek() != 0) {
            throw wrong();
        }
        return value;
    }

    private Object value() {
        switch (peek()) {
            case '{':
                return object();
            case '[':
                return list();
            case '"':
                return string();
            default:
                return word();
        }
    }

    private Map<String, Object> object() {
        Map<String, Object> found = new LinkedHashMap<>();
        take('{');
        if (peek() == '}') {
            at++;
            return found;
        }
        do {
            if (peek() != '"') {
                throw wrong();
            }
            String name = string();
            take(':');
            // A second value of one name could be the one that nobody has checked.
            if (found.containsKey(name)) {
                throw wrong();
            }
            found.put(name, value());
        } while (comma());
        take('}');
        return found;
    }

    private List<Object> list() {
        List<Object> found = new ArrayList<>();
        take('[');
        if (peek() == ']') {
            at++;
            return found;
        }
        do {
            found.add(value());
        } while (comma());
        take(']');
        return found;
    }

    private String string() {
        StringBuilder found = new StringBuilder();
        take('"');
        while (at < text.length() && text.charAt(at) != '"') {
            char sign = text.charAt(at++);
            if (sign == '\\' && at < text.length()) {
                sign = escaped(text.charAt(at++));
            }
            found.append(sign);
        }
        at++;
        if (at > text.length()) {
            throw wrong();
        }
        return found.toString();
    }

    private char escaped(char sign) {
        if (sign == 'u' && at + 4 <= text.length()) {
            at += 4;
            return (char) Integer.parseInt(text.substring(at - 4, at), 16);
        }
        int known = "\"\\/bfnrt".indexOf(sign);
        if (known < 0) {
            throw wrong();
        }
        return "\"\\/\b\f\n\r\t".charAt(known);
    }

    private Object word() {
        int start = at;
        while (at < text.length() && "+-.eE".indexOf(text.charAt(at)) >= 0
            || at < text.length() && Character.isLetterOrDigit(text.charAt(at))) {
            at++;
        }
        String found = text.substring(start, at);
        switch (found) {
            case "true":
                return true;
            case "false":
                return false;
            case "null":
                return null;
            default:
                return new BigDecimal(found);
        }
    }

    private boolean comma() {
        if (peek() != ',') {
            return false;
        }
        at++;
        return true;
    }

    private char peek() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        return at < text.length() ? text.charAt(at) : 0;
    }

    private void take(char sign) {
        if (peek() != sign) {
            throw wrong();
        }
        at++;
    }

    private IllegalArgumentException wrong() {
        return new IllegalArgumentException("no JSON at sign " + at);
    }
}
