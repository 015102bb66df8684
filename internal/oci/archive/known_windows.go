package archive

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

func stat(f *os.File) (state, error) {
	h := windows.Handle(f.Fd())
	var id windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &id); err != nil {
		return state{}, err
	}
	var times struct { // FILE_BASIC_INFO
		creation, access, write, change windows.Filetime
		attributes                      uint32
		_                               uint32
	}
	err := windows.GetFileInformationByHandleEx(h, windows.FileBasicInfo, (*byte)(unsafe.Pointer(&times)), uint32(unsafe.Sizeof(times)))
	if err != nil {
		return state{}, err
	}
	return state{
		device: uint64(id.VolumeSerialNumber), inode: uint64(id.FileIndexHigh)<<32 | uint64(id.FileIndexLow),
		size:     int64(id.FileSizeHigh)<<32 | int64(id.FileSizeLow),
		modified: times.write.Nanoseconds(), changed: times.change.Nanoseconds(),
	}, nil
}
