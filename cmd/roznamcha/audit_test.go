package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestAuditExamples types the examples of audit, whose exit code 3 says that
// something was found.
func TestAuditExamples(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ROZNAMCHA_DIR", filepath.Join(dir, "data"))
	t.Setenv("TMPDIR", dir)
	typeExample(t, dir, "roznamcha open --name l --country PK --zone Asia/Karachi")
	typeExample(t, dir, "roznamcha record raid.conducted --source /nccia/karachi --subject 7 --occurred 2025-06-03 --set premises=other --set place.city=Karachi")
	typeExample(t, dir, "roznamcha record recovery.made --source /nccia/karachi --subject 7 --occurred 2025-06-03 --set amount='5.00 PKR'")
	cmd, _, err := (&program{}).root().Find([]string{"audit"})
	if err != nil || !cmd.HasExample() {
		t.Fatalf("audit: no example: %v", err)
	}
	for line := range strings.Lines(cmd.Example) {
		typeExample(t, dir, strings.TrimSpace(line)+" || test $? = 3")
	}
}
