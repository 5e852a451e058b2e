// Receives events: checks who sent them, takes each one once, answers at once.
//
//	WEBHOOK_SECRET=whsec_... go run standard.go
//
// Go 1.18 or newer, nothing to install. The event is handled in handle, below.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Seconds that the sender's clock and yours may be apart.
const tolerance = 5 * 60
const largest = 1024 * 1024

// While a secret is being rolled: both, with a blank between them.
var secrets = strings.Fields(os.Getenv("WEBHOOK_SECRET"))

// An empty file for each event that was handled; a unique column of your database is as
// good.
var done = setting("EVENTS_DONE", "events-done")

type purchase struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Amount   *int64 `json:"amount"`
	Currency string `json:"currency"`
	Verified *bool  `json:"verified"`
	Sequence int64  `json:"sequence"`
}

type event struct {
	ID     string   `json:"id"`
	Event  string   `json:"event"`
	Live   bool     `json:"live"`
	Object purchase `json:"object"`
}

// Your part. Whatever takes long belongs into a queue of your own. Events may come twice
// and in any order: the object's sequence grows with every change, so one that is smaller
// than what you know is old news.
func handle(told event) error {
	confirmed := told.Object.Verified == nil || *told.Object.Verified
	if told.Event == "payment.success" && confirmed && told.Object.Amount != nil {
		log.Println("paid:", told.Object.ID, *told.Object.Amount, told.Object.Currency)
	}
	return nil
}

// The status and the text to answer with.
func receive(headers http.Header, body []byte) (int, string) {
	id, stamp := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	if !isSigned(id, stamp, headers.Get("webhook-signature"), body) {
		return 401, "The signature is wrong."
	}
	seconds, _ := strconv.ParseInt(stamp, 10, 64)
	apart := time.Now().Unix() - seconds
	if apart > tolerance || apart < -tolerance {
		return 401, "The letter is too old, or a clock is wrong."
	}
	var told event
	if json.Unmarshal(body, &told) != nil {
		return 400, "This is no JSON."
	}
	isNew, problem := claim(id)
	if problem == nil && !isNew {
		return 200, "Known already."
	}
	if problem == nil {
		if problem = handle(told); problem != nil {
			os.Remove(fileOf(id)) // so that the next try is not a duplicate
		}
	}
	if problem != nil {
		log.Println("failed:", problem)
		return 500, "It failed here; send it again."
	}
	return 200, "Thank you."
}

// Whether one of the signatures was made with one of the secrets.
func isSigned(id, stamp, given string, body []byte) bool {
	if _, problem := strconv.ParseUint(stamp, 10, 63); problem != nil {
		return false
	}
	good := false
	for _, secret := range secrets {
		text := strings.TrimPrefix(secret, "whsec_")
		key, problem := base64.StdEncoding.DecodeString(text)
		if problem != nil || len(key) == 0 {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		made := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for _, one := range strings.Fields(given) {
			good = hmac.Equal([]byte(made), []byte(one)) || good
		}
	}
	return good
}

// Whether this event is new. Two copies at the same moment: one of them is.
func claim(id string) (bool, error) {
	if problem := os.MkdirAll(done, 0o700); problem != nil {
		return false, problem
	}
	made, problem := os.OpenFile(fileOf(id), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(problem, fs.ErrExist) {
		return false, nil
	}
	if problem != nil {
		return false, problem
	}
	return true, made.Close()
}

func fileOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(done, hex.EncodeToString(sum[:]))
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		if request.Method != http.MethodPost {
			http.Error(answer, "Events are posted.", http.StatusMethodNotAllowed)
			return
		}
		// The bytes as they came: JSON that was read and written again differs.
		body, problem := io.ReadAll(http.MaxBytesReader(answer, request.Body, largest))
		if problem != nil {
			http.Error(answer, "Too large.", http.StatusRequestEntityTooLarge)
			return
		}
		status, text := receive(request.Header, body)
		answer.WriteHeader(status)
		io.WriteString(answer, text)
	})
	where := setting("HOST", "127.0.0.1") + ":" + setting("PORT", "4242")
	log.Fatal(http.ListenAndServe(where, nil))
}
