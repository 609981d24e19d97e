package function

// Version is the version of scorefn, as x-ms-server-version and the command line show it.
const Version = "0.1.0"
