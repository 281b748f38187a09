// A second opinion: golang.org/x/mod/sumdb's note and tlog packages, which we
// did not write, on what accountd publishes.
//
//	verify DIR    DIR as tests/accountd/log-make leaves it
//
// Says one line for each check and exits 1 at the first that fails.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var dir string

func fail(what string, err error) {
	fmt.Printf("not ok - %s: %v\n", what, err)
	os.Exit(1)
}

func must(err error, what string) {
	if err != nil {
		fail(what, err)
	}
	fmt.Printf("ok - %s\n", what)
}

func read(name string) []byte {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		fail(name, err)
	}
	return data
}

// Log keys in keys.txt: the third line, and the table of a rotation.
func verifiers() note.Verifiers {
	var list []note.Verifier
	seen := map[string]bool{}
	for i, line := range strings.Split(string(read("public/keys.txt")), "\n") {
		field := strings.Fields(line)
		if i == 2 {
			field = []string{"log", "", "", line}
		}
		if len(field) != 4 || field[0] != "log" || seen[field[3]] {
			continue
		}
		seen[field[3]] = true
		v, err := note.NewVerifier(field[3])
		if err != nil {
			fail("keys.txt: "+line, err)
		}
		list = append(list, v)
	}
	return note.VerifierList(list...)
}

// A checkpoint, opened by the note package, with this many known signatures.
func open(name string, signatures int) (tlog.Tree, *note.Note) {
	n, err := note.Open(read(name), verifiers())
	must(err, name+": the note package verifies it")
	if len(n.Sigs) != signatures {
		fail(name, fmt.Errorf("%d signatures of known keys, not %d", len(n.Sigs), signatures))
	}
	lines := strings.Split(n.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail(name, err)
	}
	hash, err := tlog.ParseHash(lines[2])
	if err != nil {
		fail(name, err)
	}
	return tlog.Tree{N: size, Hash: hash}, n
}

// Our tiles: tlog-tiles leaves out the height that this package has in its paths.
type tiles struct{}

func (tiles) Height() int { return 8 }

func (tiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range want {
		data, err := os.ReadFile(filepath.Join(dir, "public", strings.Replace(t.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func hashes(name string) []tlog.Hash {
	var list []tlog.Hash
	for _, line := range strings.Fields(string(read(name))) {
		h, err := tlog.ParseHash(line)
		if err != nil {
			fail(name, err)
		}
		list = append(list, h)
	}
	return list
}

// tlog-cosignature, from its text: the package above knows log keys only.
func cosigned(n *note.Note) error {
	vkey := strings.SplitN(strings.TrimSpace(string(read("witness.vkey"))), "+", 3)
	key, err := base64.StdEncoding.DecodeString(vkey[2])
	if err != nil || key[0] != 4 {
		return fmt.Errorf("witness.vkey: %v", err)
	}
	id := sha256.Sum256(append([]byte(vkey[0]+"\n"), key...))
	for _, sig := range n.UnverifiedSigs {
		raw, err := base64.StdEncoding.DecodeString(sig.Base64)
		if err != nil || sig.Name != vkey[0] || !bytes.Equal(raw[:4], id[:4]) {
			continue
		}
		text := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(raw[4:12]), n.Text)
		if ed25519.Verify(key[1:], []byte(text), raw[12:]) {
			return nil
		}
	}
	return fmt.Errorf("no cosignature of %s", vkey[0])
}

func main() {
	dir = os.Args[1]
	old, _ := open("old-checkpoint", 1)
	open("both-checkpoint", 2)
	tree, newest := open("public/checkpoint", 1)
	must(cosigned(newest), "public/checkpoint: cosigned by the witness")

	reader := tlog.TileHashReader(tree, tiles{})
	root, err := tlog.TreeHash(tree.N, reader)
	if err == nil && root != tree.Hash {
		err = fmt.Errorf("the tiles' root is %v", root)
	}
	must(err, "the tiles give the checkpoint's root")

	index, _ := strconv.ParseInt(strings.TrimSpace(string(read("leaf.index"))), 10, 64)
	leaf := tlog.RecordHash(read("leaf"))
	proof, err := tlog.ProveRecord(tree.N, index, reader)
	if err == nil {
		err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf)
	}
	must(err, "a leaf is included, by a proof from the tiles")
	must(tlog.CheckRecord(hashes("leaf.proof"), tree.N, tree.Hash, index, leaf), "and by the proof that we make")

	treeProof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err == nil {
		err = tlog.CheckTree(treeProof, tree.N, tree.Hash, old.N, old.Hash)
	}
	must(err, "the log begins with the older one, by a proof from the tiles")
	must(tlog.CheckTree(hashes("tree.proof"), tree.N, tree.Hash, old.N, old.Hash), "and by the proof that we make")

	old.Hash[0] ^= 1
	if tlog.CheckTree(treeProof, tree.N, tree.Hash, old.N, old.Hash) == nil {
		fail("another old head", fmt.Errorf("is taken"))
	}
	fmt.Println("ok - and not with another older one")
}
