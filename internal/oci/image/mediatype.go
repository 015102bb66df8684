package image

import (
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Docker's media types (distribution, "Image Manifest V 2, Schema 2").
const (
	DockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	DockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	DockerConfig   = "application/vnd.docker.container.image.v1+json"
)

// Media types of layers that are not to be passed on: they come from where
// their descriptor says. OCI has them for what Docker calls foreign.
const (
	foreignLayer     = "application/vnd.oci.image.layer.nondistributable.v1.tar"
	foreignLayerGzip = foreignLayer + "+gzip"
	foreignLayerZstd = foreignLayer + "+zstd"
)

// dockerLayers are Docker's media types of layers by OCI's for the same bytes.
var dockerLayers = map[string]string{
	ocispec.MediaTypeImageLayer:     "application/vnd.docker.image.rootfs.diff.tar",
	ocispec.MediaTypeImageLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
	ocispec.MediaTypeImageLayerZstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
	foreignLayer:                    "application/vnd.docker.image.rootfs.foreign.diff.tar",
	foreignLayerGzip:                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
	foreignLayerZstd:                "application/vnd.docker.image.rootfs.foreign.diff.tar.zstd",
}

// IsIndex says whether a media type is an image index's or Docker's manifest
// list's.
func IsIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == DockerList
}

// IsManifest says whether a media type is that of an image's manifest, OCI's
// or Docker's.
func IsManifest(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageManifest || mediaType == DockerManifest
}

// CheckLayerType accepts OCI's and Docker's layers, foreign ones too, in the
// forms that can be read. The bytes themselves tell how they are compressed.
func CheckLayerType(mediaType string) error {
	if _, known := layerMediaType(mediaType); !known {
		return fmt.Errorf("unknown media type %.100q", mediaType)
	}
	return nil
}

// IsForeign says whether a layer's media type forbids to pass it on.
func IsForeign(mediaType string) bool {
	switch oci, _ := layerMediaType(mediaType); oci {
	case foreignLayer, foreignLayerGzip, foreignLayerZstd:
		return true
	}
	return false
}

// layerMediaType returns OCI's media type for a layer's, and whether it is one.
func layerMediaType(mediaType string) (string, bool) {
	for oci, docker := range dockerLayers {
		if mediaType == oci || mediaType == docker {
			return oci, true
		}
	}
	return mediaType, false
}
