module smith

go 1.26
