// Package plane starts etcd and kube-apiserver once for the tests of a package, with nothing installed but what is
// asked for, and a kubeconfig of a person who may do everything. The programs come from KUBEBUILDER_ASSETS, to which
// `make test` sees.
package plane

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// patience is how long etcd and kube-apiserver may each take to come up; other packages are tested meanwhile.
const patience = 2 * time.Minute

// Options say what a package needs.
type Options struct {
	// Programs are environment variables that name further programs.
	Programs []string
	// CRDs are files or folders of what is installed; none by default.
	CRDs []string
	// Arrange is told of the API server before it starts, and of the folder in which files may be put. It may be nil.
	Arrange func(server *envtest.APIServer, home string) error
}

// Plane is a control plane that runs.
type Plane struct {
	// REST lets its bearer do everything, as often as it likes.
	REST *rest.Config
	// Kubeconfig is a file that lets a person do so.
	Kubeconfig string
	// Home is a folder that is gone when the tests have ended.
	Home string

	environment *envtest.Environment
}

// Main is TestMain's whole work: it starts a control plane, has the tests run, and ends the process. What keeps the
// tests from running is said on stderr, with the name in front.
func Main(name string, o Options, run func(*Plane) (code int, err error)) {
	code, err := with(o, run)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		code = 1
	}
	os.Exit(code)
}

func with(o Options, run func(*Plane) (int, error)) (int, error) {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard))) // a test that wants logs gives the operator a logger
	for _, program := range append([]string{"KUBEBUILDER_ASSETS"}, o.Programs...) {
		if os.Getenv(program) == "" {
			return 1, fmt.Errorf("%s is unset; run `make test`, which sees to the programs that are needed", program)
		}
	}
	home, err := os.MkdirTemp("", "plane-")
	if err != nil {
		return 1, fmt.Errorf("making a folder: %w", err)
	}
	p := &Plane{Home: home, Kubeconfig: filepath.Join(home, "kubeconfig"), environment: &envtest.Environment{
		CRDDirectoryPaths: o.CRDs, ErrorIfCRDPathMissing: true, ControlPlaneStartTimeout: patience, ControlPlaneStopTimeout: patience,
	}}
	defer func() { // also when it has come up only half
		if err := errors.Join(p.environment.Stop(), os.RemoveAll(home)); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the control plane:", err) // that is not what is tested
		}
	}()
	if err := p.start(o); err != nil {
		return 1, err
	}
	return run(p)
}

func (p *Plane) start(o Options) error {
	if o.Arrange != nil {
		if err := o.Arrange(p.environment.ControlPlane.GetAPIServer(), p.Home); err != nil {
			return err
		}
	}
	var err error
	if p.REST, err = p.environment.Start(); err != nil {
		return fmt.Errorf("starting etcd and kube-apiserver: %w", err)
	}
	p.REST.QPS, p.REST.Burst = -1, -1
	_, text, err := p.User("person", "system:masters")
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.Kubeconfig, text, 0o600); err != nil {
		return fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return nil
}

// User makes somebody who may do what their groups may, and gives both ways to be them.
func (p *Plane) User(name string, groups ...string) (config *rest.Config, kubeconfig []byte, err error) {
	user, err := p.environment.AddUser(envtest.User{Name: name, Groups: groups}, p.REST)
	if err != nil {
		return nil, nil, fmt.Errorf("making the user %s: %w", name, err)
	}
	if kubeconfig, err = user.KubeConfig(); err != nil {
		return nil, nil, fmt.Errorf("making a kubeconfig for %s: %w", name, err)
	}
	config = user.Config()
	config.QPS, config.Burst = -1, -1
	return config, kubeconfig, nil
}
