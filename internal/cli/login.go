package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"smith/internal/event"
	"smith/internal/reference"
)

// A loginCommand is smith login.
type loginCommand struct {
	*app
	user          string
	passwordStdin bool
}

func (a *app) loginCommand() *cobra.Command {
	l := &loginCommand{app: a}
	cmd := &cobra.Command{
		Use:   "login HOST",
		Short: "Log in to a registry and keep the login",
		Long: `Log in to a registry. A login that it accepts is kept where Docker and Podman
find it too: in the file that REGISTRY_AUTH_FILE names, else in
~/.docker/config.json, or with the credential helper that it names.`,
		Example: `  smith login registry.example.org
  smith login registry.example.org -u robot --password-stdin <token`,
		Args: arguments(1, 1, "a registry, such as registry.example.org"),
		RunE: func(cmd *cobra.Command, args []string) error { return l.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.StringVarP(&l.user, "user", "u", "", "the user (default: asked for)")
	f.BoolVar(&l.passwordStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

func (a *app) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "logout HOST",
		Short:   "Forget the login for a registry",
		Example: `  smith logout registry.example.org`,
		Args:    arguments(1, 1, "a registry, such as registry.example.org"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := a.registry(nil, event.Silent{})
			if err != nil {
				return err
			}
			return client.Logout(cmd.Context(), args[0])
		},
	}
}

func (l *loginCommand) run(ctx context.Context, host string) error {
	if l.passwordStdin && l.user == "" {
		return usagef("--password-stdin needs -u USER")
	}
	client, err := l.registry(nil, event.Silent{})
	if err != nil {
		return err
	}
	login, err := l.ask(host)
	if err != nil {
		return err
	}
	if err := client.Login(ctx, host, login); err != nil {
		return err
	}
	if !l.quiet {
		fmt.Fprintf(l.stderr, "smith: logged in to %s\n", host)
	}
	return nil
}

// maxPassword bounds what is read as a password: tokens are long.
const maxPassword = 64 << 10

// ask reads the user and password that no flag gives. The password is never
// shown, and no argument: others can see those.
func (l *loginCommand) ask(host string) (reference.Login, error) {
	login := reference.Login{User: l.user}
	if l.passwordStdin {
		data, err := io.ReadAll(io.LimitReader(os.Stdin, maxPassword))
		if err != nil {
			return login, fmt.Errorf("cannot read the password: %w", err)
		}
		login.Password = strings.TrimRight(string(data), "\r\n")
	} else {
		if !term.IsTerminal(int(os.Stdin.Fd())) {
			return login, usagef("cannot ask for a password without a terminal; use --password-stdin")
		}
		if login.User == "" {
			fmt.Fprintf(l.stderr, "User at %s: ", host)
			line, err := bufio.NewReader(os.Stdin).ReadString('\n')
			if err != nil {
				return login, fmt.Errorf("cannot read the user: %w", err)
			}
			login.User = strings.TrimSpace(line)
		}
		fmt.Fprint(l.stderr, "Password: ")
		data, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(l.stderr)
		if err != nil {
			return login, fmt.Errorf("cannot read the password: %w", err)
		}
		login.Password = string(data)
	}
	if login.User == "" || login.Password == "" {
		return login, errors.New("a login needs a user and a password")
	}
	return login, nil
}
