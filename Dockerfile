# For development: make docker-build, which puts the program and the certificates where this finds them. There is no base
# that would have to be pinned and followed. A release's image holds the same, and is made without an engine (docs/release.md).
FROM scratch
COPY . /
USER 65532:65532
ENTRYPOINT ["/manager"]
