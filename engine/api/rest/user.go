package rest

import "context"

// User is who makes a request.
type User struct {
	Name   string
	UID    string
	Groups []string
}

type userKey struct{}

// WithUser returns a context whose requests are the user's.
func WithUser(ctx context.Context, user User) context.Context {
	return context.WithValue(ctx, userKey{}, user)
}

// UserFrom returns the context's user; false when it is anonymous.
func UserFrom(ctx context.Context) (User, bool) {
	user, ok := ctx.Value(userKey{}).(User)
	return user, ok
}
