package plugin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

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

// standing is what there is.
type standing struct {
	world   preview.World
	objects map[objectID]*unstructured.Unstructured
	// unseen are what could not be read that may forbid something.
	unseen []string
}

// readWorld reads what there is: of all namespaces, or, where the person may not, of those that
// the manifests have to do with.
func (p *plugin) readWorld(ctx context.Context, read manifests, rules restraint.Rules) (standing, error) {
	c, err := p.connect()
	if err != nil {
		return standing{}, err
	}
	there := standing{objects: map[objectID]*unstructured.Unstructured{}}
	near := slices.Collect(maps.Keys(read.labels))
	further := []string{rules.Home, rules.Incident} // where there may be objects, but nobody's labels count
	for _, m := range read.objects {
		near = append(near, m.object.GetNamespace())
		// A key's role may be shared from another namespace.
		if role, _, _ := unstructured.NestedString(m.object.Object, "spec", "roleRef", "namespace"); role != "" {
			further = append(further, role)
		}
	}
	var objects []client.Object
	for _, kind := range []string{"AIAgentRole", "AgentAPIKey", "AccessPolicy", "AuditSink"} {
		items, unseen, err := p.listNear(ctx, c, kind, slices.Concat(near, further))
		if err != nil {
			return standing{}, err
		}
		if kind == "AccessPolicy" && slices.Contains(unseen, rules.Home) {
			there.unseen = append(there.unseen, "the Ceilings of namespace "+rules.Home)
		}
		for i := range items {
			o, err := typed(&items[i])
			if err != nil {
				return standing{}, err
			}
			objects, there.objects[idOf(&items[i])] = append(objects, o), &items[i]
			near = append(near, items[i].GetNamespace())
		}
	}
	labels, unseen, err := p.labelsOf(ctx, c, near)
	if err != nil {
		return standing{}, err
	}
	if len(unseen) > 0 {
		there.unseen = append(there.unseen, "the labels of namespace "+strings.Join(unseen, ", "))
	}
	there.world = preview.NewWorld(labels, objects...)
	return there, nil
}

// listNear lists in all namespaces, or in those that are near. Where nothing may be seen is said.
func (p *plugin) listNear(
	ctx context.Context, c client.Client, kind string, near []string,
) (all []unstructured.Unstructured, unseen []string, err error) {
	list := listOf(kind)
	if err = c.List(ctx, list); err == nil {
		return list.Items, nil, nil
	}
	if !apierrors.IsForbidden(err) {
		return nil, nil, explain(err, kind, types.NamespacedName{})
	}
	for _, namespace := range distinct(near) {
		err := c.List(ctx, list, client.InNamespace(namespace))
		switch {
		case apierrors.IsForbidden(err):
			p.say("you may not list %s objects of namespace %s: what they say is not known here", kind, namespace)
			unseen = append(unseen, namespace)
		case err != nil:
			return nil, nil, explain(err, kind, types.NamespacedName{Namespace: namespace})
		default:
			all = append(all, list.Items...)
		}
	}
	return all, unseen, nil
}

func distinct(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// labelsOf reads the labels of namespaces, by which Ceilings and roles select them: of all at
// once, or, where the person may not, of each of these. One that is not there has none.
func (p *plugin) labelsOf(
	ctx context.Context, c client.Client, namespaces []string,
) (labels map[string]map[string]string, unseen []string, err error) {
	labels = map[string]map[string]string{}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kindNamespace())
	err = c.List(ctx, list)
	if err == nil {
		for i := range list.Items {
			labels[list.Items[i].Name] = list.Items[i].Labels
		}
		return labels, nil, nil
	}
	if !apierrors.IsForbidden(err) {
		return nil, nil, fmt.Errorf("listing the namespaces: %w", err)
	}
	for _, name := range distinct(namespaces) {
		ns := &metav1.PartialObjectMetadata{}
		ns.SetGroupVersionKind(kindNamespace())
		err := c.Get(ctx, client.ObjectKey{Name: name}, ns)
		switch {
		case apierrors.IsForbidden(err):
			p.say("you may not read namespace %s: it is taken to have no labels, so Ceilings may be missed", name)
			unseen = append(unseen, name)
		case apierrors.IsNotFound(err):
		case err != nil:
			return nil, nil, fmt.Errorf("reading namespace %s: %w", name, err)
		default:
			labels[name] = ns.Labels
		}
	}
	return labels, unseen, nil
}
