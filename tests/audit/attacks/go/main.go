// Reads a published log with golang.org/x/mod/sumdb, which nobody here wrote: the log's Ed25519 line,
// witnesses' cosignatures, every entry's inclusion, growth from every earlier head, proof files.
//
//	main LOG_DIR KEPT_DIR    KEPT_DIR holds heads (*.head) and proofs (*.tlog-proof)
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func read(path ...string) []byte {
	data, err := os.ReadFile(filepath.Join(path...))
	must(err, "read")
	return data
}

// A witness is a key of cosignature/v1; x/mod knows nothing of it but lets others add verifiers.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(text, signature []byte) bool {
	if len(signature) != 72 {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
	return ed25519.Verify(w.key, []byte(message), signature[8:])
}

func verifiers(vkeys string) (logs, witnesses []note.Verifier) {
	origin := strings.SplitN(vkeys, "+", 2)[0]
	for _, line := range strings.Fields(vkeys) {
		parts := strings.SplitN(line, "+", 3)
		key, err := base64.StdEncoding.DecodeString(parts[2])
		must(err, line)
		hash, err := strconv.ParseUint(parts[1], 16, 32)
		must(err, line)
		if key[0] == 1 && parts[0] == origin {
			verifier, err := note.NewVerifier(line)
			must(err, line)
			logs = append(logs, verifier)
		}
		if key[0] == 4 {
			witnesses = append(witnesses, witness{parts[0], uint32(hash), key[1:]})
		}
	}
	return logs, witnesses
}

type head struct {
	size int64
	root tlog.Hash
}

func open(data []byte, known []note.Verifier, least int) head {
	opened, err := note.Open(data, note.VerifierList(known...))
	must(err, "note")
	if len(opened.Sigs) < least {
		must(fmt.Errorf("%d signatures", len(opened.Sigs)), "note")
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "size")
	root, err := tlog.ParseHash(lines[2])
	must(err, "root")
	return head{size, root}
}

// Tiles of height 8, whose paths differ from Go's own in the height alone.
type tiles struct{ folder string }

func (t tiles) Height() int { return 8 }
func (t tiles) ReadTiles(asked []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range asked {
		data, err := os.ReadFile(filepath.Join(t.folder, path(tile)))
		if err != nil { // A part goes once longer ones stand; it is their prefix.
			tile.W = 256
			if data, err = os.ReadFile(filepath.Join(t.folder, path(tile))); err != nil {
				return nil, err
			}
		}
		found = append(found, data)
	}
	return found, nil
}
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func path(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

func entries(folder string, size int64) (all [][]byte) {
	for number := int64(0); number*256 < size; number++ {
		width := size - number*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: -1, N: number, W: int(width)}
		data := read(folder, strings.Replace(path(tile), "tile/data/", "tile/entries/", 1))
		for len(data) > 0 {
			length := int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
	}
	return all
}

func main() {
	folder, kept := os.Args[1], os.Args[2]
	logs, witnesses := verifiers(string(read(folder, "vkeys")))
	known := append(logs, witnesses...)
	newest := open(read(folder, "checkpoint"), known, 2)
	tree := tlog.TileHashReader(tlog.Tree{N: newest.size, Hash: newest.root}, tiles{folder})
	all := entries(folder, newest.size)
	if int64(len(all)) != newest.size {
		must(fmt.Errorf("%d of %d", len(all), newest.size), "entries")
	}
	for index, entry := range all {
		proof, err := tlog.ProveRecord(newest.size, int64(index), tree)
		must(err, "prove")
		must(tlog.CheckRecord(proof, newest.size, newest.root, int64(index), tlog.RecordHash(entry)), "entry")
	}
	heads, _ := filepath.Glob(filepath.Join(kept, "*.head"))
	for _, name := range heads {
		old := open(read(name), known, 2)
		proof, err := tlog.ProveTree(newest.size, old.size, tree)
		must(err, "prove")
		must(tlog.CheckTree(proof, newest.size, newest.root, old.size, old.root), name)
	}
	proofs, _ := filepath.Glob(filepath.Join(kept, "*.tlog-proof"))
	for _, name := range proofs {
		checkProof(read(name), known)
	}
	fmt.Printf("%d entries, %d heads, %d proofs\n", len(all), len(heads), len(proofs))
}

func checkProof(data []byte, known []note.Verifier) {
	parts := bytes.SplitN(data, []byte("\n\n"), 2)
	lines := strings.Split(string(parts[0]), "\n")
	encoded := strings.TrimPrefix(lines[1], "extra ")
	extra, err := base64.StdEncoding.DecodeString(encoded)
	must(err, "extra")
	var carried struct{ Leaf string }
	must(json.Unmarshal(extra, &carried), "extra")
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	must(err, "index")
	var steps tlog.RecordProof
	for _, line := range lines[3:] {
		step, err := tlog.ParseHash(line)
		must(err, "step")
		steps = append(steps, step)
	}
	at := open(parts[1], known, 2)
	must(tlog.CheckRecord(steps, at.size, at.root, index, tlog.RecordHash([]byte(carried.Leaf))), "proof")
}
