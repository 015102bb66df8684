package registrytest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

const (
	tokenService = "registry.test"
	tokenIssuer  = "token server of a test"
)

// A TokenServer hands out the tokens that a docker-registry asks clients for
// (distribution, "Token Authentication Specification" and "OAuth2 Token
// Authentication"), to who knows its login.
type TokenServer struct {
	Realm string // its address
	Cert  string // file of the certificate that vouches for tokens
	// Tokens is how many it handed out.
	Tokens atomic.Int32

	user, password string
	authority      *authority
	server         *httptest.Server
}

// StartTokens runs a token server, which keeps its certificate in a folder.
func StartTokens(dir, user, password string) (*TokenServer, error) {
	s := &TokenServer{Cert: filepath.Join(dir, "tokens.pem"), user: user, password: password}
	var err error
	if s.authority, err = newAuthority(s.Cert); err != nil {
		return nil, err
	}
	s.server = httptest.NewServer(s)
	s.Realm = s.server.URL + "/token"
	return s, nil
}

// Stop ends the server.
func (s *TokenServer) Stop() { s.server.Close() }

// ServeHTTP is http.Handler's.
func (s *TokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	scopes := r.URL.Query()["scope"]
	if r.Method == http.MethodPost && r.PostFormValue("grant_type") == "refresh_token" {
		// An identity token, as some helpers have it instead of a password.
		user, password, scopes = s.user, r.PostFormValue("refresh_token"), strings.Fields(r.PostFormValue("scope"))
	}
	if user != s.user || password != s.password {
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"wrong login"}]}`, http.StatusUnauthorized)
		return
	}
	token, err := s.sign(scopes)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.Tokens.Add(1)
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "access_token": token, "expires_in": 60})
}

// sign returns a JSON Web Token for all that is asked for (RFC 7519, ES256 of
// RFC 7518).
func (s *TokenServer) sign(scopes []string) (string, error) {
	type access struct {
		Type    string   `json:"type"`
		Name    string   `json:"name"`
		Actions []string `json:"actions"`
	}
	granted := []access{}
	for _, scope := range scopes {
		if part := strings.Split(scope, ":"); len(part) == 3 {
			granted = append(granted, access{part[0], part[1], strings.Split(part[2], ",")})
		}
	}
	now := time.Now().Unix()
	head := map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(s.authority.cert.Raw)}}
	claims := map[string]any{
		"iss": tokenIssuer, "sub": s.user, "aud": tokenService, "exp": now + 60, "nbf": now - 10, "iat": now,
		"jti": rand.Text(), "access": granted,
	}
	var parts []string
	for _, v := range []any{head, claims} {
		data, err := json.Marshal(v)
		if err != nil {
			return "", err
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(data))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, ".")))
	r, t, err := ecdsa.Sign(rand.Reader, s.authority.key, sum[:])
	if err != nil {
		return "", fmt.Errorf("cannot sign a token: %w", err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), t.FillBytes(make([]byte, 32))...)
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(signature)), "."), nil
}
