package plugin

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/preview"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// manifestOf is a manifest and where it stood.
type manifestOf struct {
	object *unstructured.Unstructured
	source string
}

// manifests are those that were read.
type manifests struct {
	objects []manifestOf
	// labels are those of the Namespaces among them.
	labels map[string]map[string]string
}

// readManifests reads as kubectl does, from files, directories, kustomizations and standard
// input, and keeps what is of the kinds.
func (p *plugin) readManifests(files resource.FilenameOptions) (manifests, error) {
	namespace, err := p.namespace()
	if err != nil {
		return manifests{}, err
	}
	if slices.Contains(files.Filenames, "-") {
		files.Filenames = slices.DeleteFunc(slices.Clone(files.Filenames), func(name string) bool { return name == "-" })
	} else {
		p.Streams.In = nil
	}
	builder := resource.NewLocalBuilder().Unstructured().ContinueOnError().Flatten()
	if p.Streams.In != nil {
		builder = builder.Stream(p.Streams.In, "standard input")
	}
	infos, err := builder.FilenameParam(false, &files).Do().Infos()
	if err != nil {
		return manifests{}, misuse("reading the manifests: %w", err)
	}
	return p.sortOut(infos, namespace)
}

// sortOut keeps what is of the kinds, and the labels of namespaces.
func (p *plugin) sortOut(infos []*resource.Info, namespace string) (manifests, error) {
	read := manifests{labels: map[string]map[string]string{}}
	seen := map[objectID]string{}
	passed := 0
	for _, info := range infos {
		u, is := info.Object.(*unstructured.Unstructured)
		switch {
		case is && u.GetKind() == "Namespace":
			read.labels[u.GetName()] = u.GetLabels()
			continue
		case !is || u.GroupVersionKind().Group != v1alpha1.GroupVersion.Group:
			passed++
			continue
		case u.GroupVersionKind().Version != v1alpha1.GroupVersion.Version:
			return manifests{}, misuse("%s: %s %s is of version %s, and there is %s only", info.Source, u.GetKind(), u.GetName(),
				u.GroupVersionKind().Version, v1alpha1.GroupVersion.Version)
		}
		if u.GetNamespace() == "" {
			u.SetNamespace(namespace)
		}
		if first, twice := seen[idOf(u)]; twice {
			return manifests{}, misuse("%s %s/%s stands in %s and in %s", u.GetKind(), u.GetNamespace(), u.GetName(), first, info.Source)
		}
		seen[idOf(u)] = info.Source
		read.objects = append(read.objects, manifestOf{u, info.Source})
	}
	if passed > 0 {
		p.say("passed over, being of other kinds: %d", passed)
	}
	return read, nil
}

// readWorld reads what there is: of all namespaces, or, where the person may not, of those that
// the manifests have to do with.
func (p *plugin) readWorld(
	ctx context.Context, read manifests, rules restraint.Rules,
) (preview.World, map[objectID]*unstructured.Unstructured, error) {
	c, err := p.connect()
	if err != nil {
		return preview.World{}, nil, err
	}
	near := []string{rules.Home, rules.Incident}
	for _, m := range read.objects {
		near = append(near, m.object.GetNamespace())
	}
	var objects []client.Object
	stored := map[objectID]*unstructured.Unstructured{}
	for _, kind := range []string{"AIAgentRole", "AgentAPIKey", "AccessPolicy", "AuditSink"} {
		items, err := p.listNear(ctx, c, kind, near)
		if err != nil {
			return preview.World{}, nil, err
		}
		for i := range items {
			o, err := typed(&items[i])
			if err != nil {
				return preview.World{}, nil, err
			}
			objects, stored[idOf(&items[i])] = append(objects, o), &items[i]
			near = append(near, items[i].GetNamespace())
		}
	}
	labels, err := p.labelsOf(ctx, c, near)
	if err != nil {
		return preview.World{}, nil, err
	}
	for name, of := range read.labels {
		labels[name] = of // as they would be
	}
	return preview.NewWorld(labels, objects...), stored, nil
}

// listNear lists in all namespaces, or in those that are near. What may not be seen is said.
func (p *plugin) listNear(ctx context.Context, c client.Client, kind string, near []string) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
	err := c.List(ctx, list)
	if err == nil {
		return list.Items, nil
	}
	if !apierrors.IsForbidden(err) {
		return nil, explain(err, kind, types.NamespacedName{})
	}
	var all []unstructured.Unstructured
	for _, namespace := range distinct(near) {
		err := c.List(ctx, list, client.InNamespace(namespace))
		switch {
		case apierrors.IsForbidden(err):
			p.say("you may not list %s objects of namespace %s: what they say is not known here", kind, namespace)
		case err != nil:
			return nil, explain(err, kind, types.NamespacedName{Namespace: namespace})
		default:
			all = append(all, list.Items...)
		}
	}
	return all, nil
}

func distinct(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// labelsOf reads the labels of namespaces, by which Ceilings and roles select them. One that is
// not there has none.
func (p *plugin) labelsOf(ctx context.Context, c client.Client, namespaces []string) (map[string]map[string]string, error) {
	labels := map[string]map[string]string{}
	for _, name := range distinct(namespaces) {
		ns := &metav1.PartialObjectMetadata{}
		ns.SetGroupVersionKind(kindNamespace())
		err := c.Get(ctx, client.ObjectKey{Name: name}, ns)
		switch {
		case apierrors.IsForbidden(err):
			p.say("you may not read namespace %s: it is taken to have no labels, so Ceilings may be missed", name)
		case apierrors.IsNotFound(err):
		case err != nil:
			return nil, fmt.Errorf("reading namespace %s: %w", name, err)
		default:
			labels[name] = ns.Labels
		}
	}
	return labels, nil
}
