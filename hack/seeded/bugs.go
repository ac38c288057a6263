package main

// bugs are those that goals.md names.
func bugs() []bug { return append(decided(), called()...) }

// decided are bugs in what is decided and kept.
func decided() []bug {
	return []bug{
		{
			name: "POST before intent", file: "internal/plan/key.go",
			old: "\t\t{\"Minted\", minted},\n\t\t{\"Registered\", registered},\n",
			new: "\t\t{\"Registered\", registered},\n\t\t{\"Minted\", minted},\n",
			pkg: "./internal/plan", test: "TestKeyIssue|TestKeyRulesInOrder",
		},
		{
			name: "status before Secret", file: "internal/plan/keyrotation.go",
			old: "\tcase have.State == Absent:\n\t\treturn step(Publish, \"the Secret did not exist yet\")\n",
			new: "\tcase have.State == Absent:\n\t\treturn KeyNext{Again: again}\n",
			pkg: "./internal/plan", test: ".",
		},
		{
			name: "cache-only existence check", file: "internal/controller/agentapikey/perform.go",
			old: "register(ctx context.Context, s *scene, _ plan.KeyStep) error {\n\tif err := lifecycle.StillWanted(ctx, c.Live,",
			new: "register(ctx context.Context, s *scene, _ plan.KeyStep) error {\n\tif err := lifecycle.StillWanted(ctx, c.Client,",
			pkg: "./test/model", test: "TestWatches",
		},
		{
			name: "overwrite foreign Secret", file: "internal/keysecret/store.go",
			old: "\tcase !s.want.Mark.Namesake(mark):\n\t\treturn nil, plan.Foreign, nil\n",
			new: "\tcase !s.want.Mark.Namesake(mark):\n\t\treturn secret, plan.Intact, nil\n",
			pkg: "./internal/keysecret", test: "TestForeignSecretsStay",
		},
		{
			name: "requeue 0 on error", file: "internal/lifecycle/settle.go",
			old: "\t\tif e.RetryAfter == 0 {\n\t\t\tv.retry = err\n\t\t}\n", new: "",
			pkg: "./internal/lifecycle", test: ".",
		},
		{
			name: "finalizer removed before Okta delete", file: "internal/lifecycle/loop.go",
			old: "\toutcome, err := l.Kind.Release(identity.WithCaller(ctx, callerOf(obj, identity.Revocation)), obj)\n\tif err != nil {",
			new: "\toutcome, err := l.Kind.Release(identity.WithCaller(ctx, callerOf(obj, identity.Revocation)), obj)\n" +
				"\tif err != nil && len(outcome.Events) > 99 {",
			pkg: "./test/model", test: "TestModel", args: []string{"-rapid.checks=200", "-rapid.shrinktime=1s"},
		},
	}
}

// called are bugs on the way to Okta.
func called() []bug {
	return []bug{
		{
			name: "retry POST on EOF", file: "internal/okta/transport/faults.go",
			old: "\treturn fault.Unreachable(because(err))", new: "\treturn err",
			pkg: "./internal/okta", test: ".",
		},
		{
			name: "delete on single 404", file: "internal/okta/family.go",
			old: "\t\tcase !shown && old.present:", new: "\t\tcase false:",
			pkg: "./internal/okta", test: ".",
		},
		{
			name: "ignore pagination error", file: "internal/okta/walk.go",
			old: "\t\treturn nil, time.Time{}, err\n", new: "\t\tbreak\n",
			pkg: "./internal/okta", test: ".",
		},
		{
			name: "local clock for reset", file: "internal/okta/transport/servertime.go",
			old: "\ts.offset.Store(int64(date.Sub(s.clock.Now())))", new: "",
			pkg: "./internal/okta/...", test: ".",
		},
		{
			name: "per-client governor", file: "internal/okta/governor/governor.go",
			old: "\tb, ok := g.buckets[class.Name]\n\tif !ok {\n\t\tb = &bucket",
			new: "\tb, ok := g.buckets[class.Name], false\n\tif !ok {\n\t\tb = &bucket",
			pkg: "./internal/okta/governor", test: ".",
		},
		{
			name: "log request body", file: "internal/okta/transport/chain.go",
			old: "\tresp, err := l.next.RoundTrip(req)\n",
			new: "\tif req.GetBody != nil {\n\t\tif body, err := req.GetBody(); err == nil {\n" +
				"\t\t\ttext := make([]byte, 8192)\n\t\t\tn, _ := body.Read(text)\n" +
				"\t\t\tl.logger.V(1).Info(\"sent\", \"body\", string(text[:n]))\n\t\t}\n\t}\n\tresp, err := l.next.RoundTrip(req)\n",
			pkg: "./test/model", test: "TestModel", args: []string{"-rapid.checks=200", "-rapid.shrinktime=1s"},
		},
		{
			name: "priority starvation", file: "internal/okta/governor/bucket.go",
			old: "\treturn !caller.Urgent && b.free(now) <= 0", new: "\treturn b.free(now) <= 0",
			pkg: "./internal/okta/governor", test: ".",
		},
		{
			name: "cursor before ack", file: "internal/audit/follower.go",
			old: "\taside, err := f.deliver(ctx, chosen)\n",
			new: "\tif err := f.Positions.Save(ctx, f.sink.ID, next); err != nil {\n\t\treturn err\n\t}\n" +
				"\taside, err := f.deliver(ctx, chosen)\n",
			pkg: "./internal/audit", test: ".",
		},
		{
			name: "two pollers", file: "internal/audit/reader.go",
			old: "\t\treturn r.head.place\n", new: "\t\treturn page.Next\n",
			pkg: "./internal/audit", test: ".",
		},
	}
}
