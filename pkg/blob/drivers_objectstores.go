//go:build objectstores

package blob

// Object stores come with large SDKs, so they are linked in on demand: release images are built with -tags objectstores.
import (
	_ "gocloud.dev/blob/azureblob" // azblob://container
	_ "gocloud.dev/blob/gcsblob"   // gs://bucket
	_ "gocloud.dev/blob/s3blob"    // s3://bucket?region=…&endpoint=…, also MinIO, Ceph and R2
)
