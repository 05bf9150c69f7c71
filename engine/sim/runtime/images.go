package runtime

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"tidepool.dev/tidepool/engine/kubelet"
	"tidepool.dev/tidepool/engine/sim/image"
)

func (r *Runtime) Image(name string, done func(*kubelet.Image, error)) {
	r.do(func() {
		found, ok := r.images[image.Normalize(name)]
		r.call(func() {
			if !ok {
				done(nil, nil)
				return
			}
			done(&found, nil)
		})
	})
}

func (r *Runtime) PullImage(name string, done func(kubelet.Image, error)) {
	whole := image.Normalize(name)
	r.do(func() {
		_, size, err := image.Find(whole)
		_, present := r.images[whole]
		took := r.draw(resolveTime)
		if err == nil && !present {
			took += time.Duration(size) * time.Second / bandwidth
		}
		r.after(took, func() {
			if err != nil {
				r.call(func() { done(kubelet.Image{}, err) })
				return
			}
			pulled := kubelet.Image{Name: whole, Ref: reference(whole), Size: size}
			r.images[whole] = pulled
			r.call(func() { done(pulled, nil) })
		})
	})
}

func (r *Runtime) Images(done func([]kubelet.Image, error)) {
	r.do(func() {
		list := make([]kubelet.Image, 0, len(r.images))
		for _, i := range r.images {
			list = append(list, i)
		}
		slices.SortFunc(list, func(a, b kubelet.Image) int {
			if c := cmp.Compare(b.Size, a.Size); c != 0 {
				return c
			}
			return cmp.Compare(a.Name, b.Name)
		})
		r.call(func() { done(list, nil) })
	})
}

// reference names an image's content, which in the simulation depends on
// nothing but its name.
func reference(name string) string {
	digest := sha256.Sum256([]byte(name))
	repository := name
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		repository = name[:colon]
	}
	return repository + "@sha256:" + hex.EncodeToString(digest[:])
}
