package blob

import _ "gocloud.dev/blob/memblob" // mem://
