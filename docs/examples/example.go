// Usage: URL=... KEY=... go run example.go ada-1.jpg today.jpg
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

var client = http.Client{Timeout: time.Minute}

// post sends one picture of an identity, and reads the answer into `answer`.
func post(route, field, picture string, answer any) error {
	data, err := os.ReadFile(picture)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("identity", "ada")
	part, _ := form.CreateFormFile(field, filepath.Base(picture))
	part.Write(data)
	form.Close()

	request, err := http.NewRequest("POST", os.Getenv("URL")+route, &body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Authorization", "Bearer "+os.Getenv("KEY"))
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		var problem struct{ Code, Detail string }
		json.Unmarshal(said, &problem)
		return fmt.Errorf("%d %s: %s", response.StatusCode, problem.Code, problem.Detail)
	}
	return json.Unmarshal(said, answer)
}

func main() {
	var enrolment struct{ References int }
	if err := post("/v1/enroll", "images", os.Args[1], &enrolment); err != nil {
		log.Fatal(err)
	}
	var verdict struct {
		Identity string `json:"identity"`
		Verified bool   `json:"verified"`
	}
	if err := post("/v1/verify", "image", os.Args[2], &verdict); err != nil {
		log.Fatal(err)
	}
	json.NewEncoder(os.Stdout).Encode(verdict)
}
