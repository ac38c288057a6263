package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// statOf is what the kernel says of a process: its name, and the fields after it.
func statOf(pid int) (name string, fields []string, err error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", nil, err
	}
	// The name is in parentheses, and may hold anything.
	opens, closes := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if opens < 0 || closes < opens {
		return "", nil, fmt.Errorf("reading of process %d: %q", pid, text)
	}
	return string(text[opens+1 : closes]), strings.Fields(string(text[closes+1:])), nil
}

// cpuOf is the processor time a process has used.
func cpuOf(pid int) (time.Duration, error) {
	_, fields, err := statOf(pid)
	if err != nil {
		return 0, err
	}
	ticks := 0
	for _, place := range []int{11, 12} { // utime and stime, in hundredths of a second
		n, err := strconv.Atoi(fields[place])
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// apart are who else needs the processors: the API server and etcd, which this program started,
// and this program, in which the org is.
func apart() (map[string]time.Duration, error) {
	own := os.Getpid()
	used := map[string]time.Duration{}
	var err error
	if used["the org and this program"], err = cpuOf(own); err != nil {
		return nil, err
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, dir := range all {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		name, fields, err := statOf(pid)
		if err != nil || fields[1] != strconv.Itoa(own) || name != "kube-apiserver" && name != "etcd" {
			// Processes come and go; those asked for stay.
			continue
		}
		cpu, err := cpuOf(pid)
		if err != nil {
			return nil, err
		}
		used[name] += cpu
	}
	return used, nil
}

// handles is how many files and threads the process has open.
func (p *process) handles() (files, threads int, err error) {
	open, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "fd"))
	if err != nil {
		return 0, 0, err
	}
	_, fields, err := statOf(p.cmd.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	threads, err = strconv.Atoi(fields[17])
	return len(open), threads, err
}
