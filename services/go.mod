module github.com/tributaryhq/tributary/services

go 1.26.0

require github.com/tributaryhq/tributary/pkg v0.0.0

replace github.com/tributaryhq/tributary/pkg => ../pkg
