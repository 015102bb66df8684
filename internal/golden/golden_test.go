package golden_test

import (
	"errors"
	"testing"

	"smith/internal/golden"
)

func TestTexts(t *testing.T) {
	texts := golden.New(t)
	texts.Add("two lines", "one\ntwo")
	texts.Error("an error", errors.New("not a tar archive"))
}
