package httpapi

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"os"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Unkept is the error for a file that could not be kept: the caller's, if the file is larger than the limit.
func Unkept(err error, limit int64) error {
	if _, over := errors.AsType[*http.MaxBytesError](err); over || fault.Is(err, fault.Invalid) {
		return TooLarge(limit)
	}
	return err
}

// FilePart returns the part of a multipart form that holds a file; the parts before it are skipped. What is wrong with the form
// is the caller's to mend.
func FilePart(r *http.Request, name string) (*multipart.Part, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, fault.New(fault.Invalid, "unsupported_media_type", "send multipart/form-data with the file in the part %q", name)
	}
	for {
		part, err := form.NextPart()
		var tooLarge *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF):
			return nil, fault.At("/"+name, "required", "the form has no part %q", name)
		case errors.As(err, &tooLarge), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, Unread(err)
		case err != nil:
			return nil, fault.New(fault.Invalid, "bad_form", "the form could not be read: a boundary or the head of a part is malformed")
		case part.FormName() == name:
			return part, nil
		}
	}
}
