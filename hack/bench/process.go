package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one process of the operator.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// operate starts the operator with the configuration that was written last.
func (s *stage) operate() (*process, error) {
	s.started++
	p := &process{log: filepath.Join(s.dir, fmt.Sprintf("manager-%d.log", s.started)), done: make(chan struct{})}
	file, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	args := []string{s.manager, "--config", filepath.Join(s.dir, "config.yaml")}
	if s.profile != "" {
		args = []string{os.Args[0], profiled, "--config", args[2], "--into", s.profile}
	}
	p.cmd = exec.CommandContext(context.Background(), args[0], args[1:]...)
	p.cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(s.dir, "kubeconfig"))
	if s.memory != "" {
		p.cmd.Env = append(p.cmd.Env, "GOMEMLIMIT="+s.memory)
	}
	p.cmd.Stdout, p.cmd.Stderr = file, file
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	go func() {
		_ = p.cmd.Wait()
		_ = file.Close()
		close(p.done)
	}()
	s.running = append(s.running, p)
	return p, nil
}

// end stops all processes, and waits until they have ended.
func (s *stage) end() {
	for _, p := range s.running {
		p.stop()
	}
	s.running = nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.kill()
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

func (s *stage) logTail() string {
	if len(s.running) == 0 {
		return ""
	}
	text, err := os.ReadFile(s.running[len(s.running)-1].log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-10):], []byte("\n")))
}

// cpu is the processor time the process has used.
func (p *process) cpu() (time.Duration, error) { return cpuOf(p.cmd.Process.Pid) }

// memory is the most, and the present, memory of the process in MiB.
func (p *process) memory() (most, now float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "VmHWM:":
			most = kib / 1024
		case "VmRSS:":
			now = kib / 1024
		}
	}
	return most, now, nil
}

// quiet waits until the process has done next to nothing for that long, and gives when it began to.
func (p *process) quiet(ctx context.Context, still, patience time.Duration) (time.Time, error) {
	const look = 100 * time.Millisecond
	since, last := time.Now(), time.Duration(-1)
	err := until(ctx, patience, look, func() (bool, error) {
		used, err := p.cpu()
		if err != nil {
			return false, err
		}
		if last < 0 || used-last > 20*time.Millisecond {
			since = time.Now()
		}
		last = used
		return time.Since(since) > still, nil
	})
	return since, err
}
