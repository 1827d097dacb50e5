package blob

import (
	_ "gocloud.dev/blob/memblob" // mem://
	// Object stores are linked in here and nowhere else, each by one line:
	//   gocloud.dev/blob/s3blob     s3://bucket?region=…&endpoint=…  also MinIO, Ceph, R2
	//   gocloud.dev/blob/gcsblob    gs://bucket
	//   gocloud.dev/blob/azureblob  azblob://container
)
