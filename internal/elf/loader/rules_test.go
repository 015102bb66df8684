//go:build linux

package loader_test

// rules are programs of one rule or of some that meet, each the script of a bench.
var rules = map[string]string{
	"default folders in order": `
		exe /bin/main needed=liba.so,libb.so,libc1.so,libd.so
		lib /usr/lib/liba.so
		lib /lib/liba.so
		lib /usr/lib/libb.so
		lib /usr/lib/x86_64-linux-gnu/libb.so
		lib /lib/x86_64-linux-gnu/libc1.so
		lib /usr/lib/libd.so`,
	"lib64 is no default folder of Debian": `
		exe /bin/main needed=liba.so
		lib /usr/lib64/liba.so`,
	"breadth first": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so needed=libc1.so,libd.so
		lib /lib/libb.so needed=libe.so,libc1.so
		lib /lib/libc1.so needed=libf.so
		lib /lib/libd.so
		lib /lib/libe.so needed=liba.so
		lib /lib/libf.so`,
	"RPATH is inherited": `
		exe /bin/main rpath=/opt/lib needed=liba.so
		lib /opt/lib/liba.so needed=libb.so
		lib /opt/lib/libb.so needed=libc1.so
		lib /opt/lib/libc1.so
		lib /lib/libc1.so`,
	"RUNPATH is not inherited": `
		exe /bin/main runpath=/opt/lib needed=liba.so
		lib /opt/lib/liba.so needed=libb.so
		lib /opt/lib/libb.so
		lib /lib/libb.so`,
	"RUNPATH in the chain hides RPATH of the program": `
		exe /bin/main rpath=/opt/lib needed=liba.so
		lib /opt/lib/liba.so runpath=/none needed=libb.so
		lib /opt/lib/libb.so needed=libc1.so
		lib /opt/lib/libc1.so
		lib /lib/libb.so needed=libc1.so
		lib /lib/libc1.so`,
	"RPATH of an object with RUNPATH above it": `
		exe /bin/main runpath=/opt/lib needed=liba.so
		lib /opt/lib/liba.so rpath=/opt/a needed=libb.so
		lib /opt/a/libb.so needed=libc1.so
		lib /opt/a/libc1.so
		lib /opt/lib/libc1.so`,
	"RPATH of the nearest object first": `
		exe /bin/main rpath=/opt/1 needed=liba.so
		lib /opt/1/liba.so rpath=/opt/2 needed=libb.so
		lib /opt/1/libb.so
		lib /opt/2/libb.so`,
	"LD_LIBRARY_PATH stands between RPATH and RUNPATH": `
		env LD_LIBRARY_PATH=/env
		exe /bin/main rpath=/opt/rpath needed=liba.so,libb.so
		lib /opt/rpath/liba.so runpath=/opt/runpath needed=libc1.so
		lib /env/liba.so
		lib /env/libb.so
		lib /env/libc1.so
		lib /opt/runpath/libc1.so`,
	"LD_LIBRARY_PATH with semicolons, tokens and empty elements": `
		env LD_LIBRARY_PATH=/none;$ORIGIN/../env:
		exe /bin/main needed=liba.so,libb.so
		lib /env/liba.so
		lib /libb.so
		lib /lib/libb.so`,
	"an empty element of RPATH is the working folder": `
		exe /bin/main rpath=/none: needed=liba.so
		lib /liba.so`,
	"a relative RUNPATH": `
		exe /bin/main runpath=opt/./lib needed=liba.so
		lib /opt/lib/liba.so`,
	"slashes at the end and twice": `
		exe /bin/main runpath=/opt//lib///:/opt/2/ needed=liba.so,libb.so
		lib /opt/lib/liba.so
		lib /opt/2/libb.so`,
	"ORIGIN of a program is its real folder": `
		exe /opt/app/bin/main runpath=$ORIGIN/../lib needed=liba.so
		link /bin/main ../opt/app/bin/main
		lib /opt/app/lib/liba.so
		lib /lib/liba.so`,
	"ORIGIN of a library is the folder it was found in": `
		exe /bin/main runpath=/opt/link needed=liba.so
		link /opt/link real/deep
		lib /opt/real/deep/liba.so runpath=$ORIGIN/../x needed=libb.so
		lib /opt/x/libb.so
		lib /opt/real/x/libb.so`,
	"ORIGIN of a library that is a link": `
		exe /bin/main runpath=/opt/a needed=liba.so
		link /opt/a/liba.so ../b/liba.so
		lib /opt/b/liba.so runpath=$ORIGIN needed=libb.so
		lib /opt/a/libb.so
		lib /opt/b/libb.so`,
	"tokens in both spellings": `
		exe /bin/main runpath=${ORIGIN}/../1:$ORIGIN/../2:/3/$LIB:/4/${LIB}:/5/$PLATFORM:/6/${PLATFORM} needed=lib1.so,lib2.so,lib3.so,lib4.so,lib5.so,lib6.so
		lib /1/lib1.so
		lib /2/lib2.so
		lib /3/lib/x86_64-linux-gnu/lib3.so
		lib /4/lib/x86_64-linux-gnu/lib4.so
		lib /5/x86_64/lib5.so
		lib /6/x86_64/lib6.so`,
	"what only looks like a token": `
		exe /bin/main runpath=/1/$ORIGINAL:/2/$LIBS:/3/${LIB:/4/$UNKNOWN:/5/$:/6/$LIB_ needed=lib1.so,lib2.so,lib3.so,lib4.so,lib5.so,lib6.so
		lib /1/$ORIGINAL/lib1.so
		lib /2/$LIBS/lib2.so
		lib /3/${LIB/lib3.so
		lib /4/$UNKNOWN/lib4.so
		lib /5/$/lib5.so
		lib /6/$LIB_/lib6.so`,
	"slashes in NEEDED": `
		exe /bin/main needed=/opt/liba.so,opt/libb.so,$ORIGIN/../opt/libc1.so
		lib /opt/liba.so
		lib /opt/libb.so
		lib /opt/libc1.so`,
	"a path and a soname are one object": `
		exe /bin/main needed=/opt/liba.so,liba.so.1,libb.so
		lib /opt/liba.so soname=liba.so.1
		lib /lib/liba.so.1
		lib /lib/libb.so needed=liba.so.1,/opt/liba.so`,
	"a soname that is loaded is not searched again": `
		exe /bin/main needed=libx.so,liby.so runpath=/opt
		lib /opt/libx.so soname=libreal.so.1
		lib /opt/liby.so needed=libreal.so.1
		lib /lib/libreal.so.1`,
	"a name that is loaded is not searched again": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so rpath=/opt needed=libz.so
		lib /lib/libb.so needed=libz.so
		lib /opt/libz.so soname=libother.so
		lib /lib/libz.so`,
	"the soname of the program answers": `
		exe /bin/main soname=liba.so needed=libb.so
		lib /lib/libb.so needed=liba.so
		lib /lib/liba.so`,
	"two links to one file": `
		exe /bin/main needed=liba.so.1,liba.so.2,libb.so
		lib /opt/liba.so
		link /lib/liba.so.1 ../opt/liba.so
		link /lib/liba.so.2 ../opt/liba.so
		lib /lib/libb.so needed=liba.so.2,liba.so`,
	"two hard links to one file": `
		exe /bin/main needed=liba.so.1,liba.so.2
		lib /lib/liba.so.1
		hard /lib/liba.so.2 /lib/liba.so.1`,
	"a copy under another name is another object": `
		exe /bin/main needed=liba.so.1,liba.so.2
		lib /lib/liba.so.1 soname=libx.so
		lib /lib/liba.so.2 soname=libx.so`,
	"cycles": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so needed=libb.so,liba.so
		lib /lib/libb.so needed=libc1.so
		lib /lib/libc1.so needed=liba.so`,
	"missing deep in the chain": `
		exe /bin/main needed=liba.so,libd.so
		lib /lib/liba.so needed=libb.so
		lib /lib/libb.so needed=libgone.so,libc1.so
		lib /lib/libc1.so needed=libgone.so
		lib /lib/libd.so`,
	"missing for one and found for another": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so needed=libx.so
		lib /lib/libb.so runpath=/opt needed=libx.so
		lib /opt/libx.so`,
	"another class is passed over": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so m32
		lib /lib/liba.so`,
	"another machine is passed over": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so arm64
		lib /lib/liba.so`,
	"another byte order": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so msb
		lib /lib/liba.so`,
	"another class alone": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so m32`,
	"a text file": `
		exe /bin/main runpath=/opt needed=liba.so
		text /opt/liba.so GROUP ( /lib/liba.so this is a linker script and long enough to be read as a header )
		lib /lib/liba.so`,
	"a folder": `
		exe /bin/main runpath=/opt needed=liba.so
		dir /opt/liba.so
		lib /lib/liba.so`,
	"a program": `
		exe /bin/main runpath=/opt needed=liba.so
		exe /opt/liba.so
		lib /lib/liba.so`,
	"a dangling link": `
		exe /bin/main runpath=/opt needed=liba.so
		link /opt/liba.so none
		lib /lib/liba.so`,
	"a link that leads to itself": `
		exe /bin/main runpath=/opt needed=liba.so
		link /opt/liba.so liba.so
		lib /lib/liba.so`,
	"a file in place of a folder": `
		exe /bin/main runpath=/opt:/usr needed=liba.so
		text /opt x
		lib /usr/liba.so`,
	"NODEFLIB": `
		exe /bin/main nodeflib needed=liba.so,libb.so rpath=/opt
		lib /lib/liba.so
		lib /opt/libb.so needed=libc1.so
		lib /lib/libc1.so`,
	"NODEFLIB and the cache": `
		exe /bin/main nodeflib needed=liba.so,libb.so
		lib /lib/liba.so
		lib /opt/libb.so
		text /etc/ld.so.conf /opt
		ldconfig`,
	"the configuration counts for nothing without a cache": `
		exe /bin/main needed=liba.so
		lib /opt/liba.so
		text /etc/ld.so.conf /opt`,
	"the cache": `
		exe /bin/main needed=liba.so,libb.so,libc1.so
		lib /opt/liba.so
		lib /lib/liba.so
		lib /opt/libb.so.1 soname=libb.so
		link /opt/libb.so libb.so.1
		lib /usr/lib/libc1.so
		text /etc/ld.so.conf /opt
		ldconfig`,
	"RUNPATH comes before the cache": `
		exe /bin/main runpath=/run needed=liba.so
		lib /opt/liba.so
		lib /run/liba.so
		text /etc/ld.so.conf /opt
		ldconfig`,
	"a cache entry whose file is gone": `
		exe /bin/main needed=liba.so
		lib /opt/liba.so
		text /etc/ld.so.conf /opt
		ldconfig
		remove /opt/liba.so
		lib /lib/liba.so`,
	"a cache that is none": `
		exe /bin/main needed=liba.so
		text /etc/ld.so.cache garbage
		lib /lib/liba.so`,
	"LD_PRELOAD": `
		env LD_PRELOAD=libp.so:/opt/libq.so
		exe /bin/main needed=liba.so
		lib /lib/liba.so needed=libb.so
		lib /lib/libb.so
		lib /lib/libp.so needed=libr.so,libb.so
		lib /opt/libq.so
		lib /lib/libr.so`,
	"LD_PRELOAD of what is not there": `
		env LD_PRELOAD=libnone.so:liba.so:$ORIGIN/../lib/libb.so
		exe /bin/main needed=libb.so,liba.so
		lib /lib/liba.so
		lib /lib/libb.so`,
	"LD_PRELOAD by RPATH of the program": `
		env LD_PRELOAD=libp.so
		exe /bin/main needed=liba.so rpath=/opt
		lib /lib/liba.so
		lib /opt/libp.so`,
	"ld.so.preload": `
		env LD_PRELOAD=libp.so
		text /etc/ld.so.preload #nothing /lib/libq.so:libr.so libnone.so
		exe /bin/main needed=liba.so
		lib /lib/liba.so
		lib /lib/libp.so
		lib /lib/libq.so
		lib /lib/libr.so`,
	"auxiliary": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so aux=libx.so needed=libc1.so
		lib /lib/libb.so
		lib /lib/libc1.so
		lib /lib/libx.so needed=libd.so
		lib /lib/libd.so`,
	"auxiliary that is not there": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so aux=libx.so,liby.so needed=libc1.so
		lib /lib/liby.so
		lib /lib/libb.so
		lib /lib/libc1.so`,
	"filter": `
		exe /bin/main needed=liba.so,libb.so,libx.so
		lib /lib/liba.so filter=libx.so needed=libc1.so
		lib /lib/libb.so
		lib /lib/libc1.so
		lib /lib/libx.so`,
	"a filtee that stands earlier": `
		exe /bin/main needed=libx.so,liba.so,libb.so
		lib /lib/liba.so filter=libx.so
		lib /lib/libb.so aux=liba.so
		lib /lib/libx.so`,
	"a filter that is not there": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so filter=libx.so`,
	"filters of the program": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so aux=libp.so,libq.so
		lib /lib/libp.so aux=libr.so
		lib /lib/libq.so needed=libs.so
		lib /lib/libr.so
		lib /lib/libs.so`,
	"audit": `
		exe /bin/main needed=liba.so audit=libau.so depaudit=/opt/libdep.so
		lib /lib/liba.so
		lib /lib/libau.so needed=libsub.so
		lib /opt/libdep.so
		lib /lib/libsub.so`,
	"hwcaps folders of the platform": `
		exe /bin/main runpath=/opt needed=liba.so,libb.so
		lib /opt/tls/x86_64/liba.so
		lib /opt/tls/liba.so
		lib /opt/liba.so
		lib /opt/x86_64/x86_64/libb.so
		lib /opt/libb.so`,
	"the linker by its soname": `
		exe /bin/main needed=ld-linux-x86-64.so.2,liba.so
		lib /lib/liba.so needed=ld-linux-x86-64.so.2`,
	"the linker by its path": `
		exe /bin/main needed=/lib64/ld-linux-x86-64.so.2,liba.so
		lib /lib/liba.so`,
	"dot dot through a link": `
		exe /bin/main runpath=/opt/link/../lib needed=liba.so
		link /opt/link ../deep/er
		dir /deep/er
		lib /deep/lib/liba.so
		lib /opt/lib/liba.so`,

	// Pairs of rules that meet.
	"ORIGIN in an inherited RPATH is that of the object with the RPATH": `
		exe /opt/app/main rpath=$ORIGIN/lib needed=liba.so
		link /bin/main ../opt/app/main
		lib /opt/app/lib/liba.so needed=libb.so
		lib /opt/app/lib/libb.so
		lib /opt/app/lib/lib/libb.so`,
	"LD_LIBRARY_PATH and an inherited RPATH": `
		env LD_LIBRARY_PATH=/env
		exe /bin/main rpath=/opt needed=liba.so,libb.so
		lib /opt/liba.so runpath=/run needed=libb.so
		lib /opt/libb.so
		lib /env/libb.so
		lib /run/libb.so`,
	"an object with RUNPATH asks for what RPATH above it has": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so runpath=/none needed=libb.so
		lib /opt/libb.so`,
	"RUNPATH that is empty hides RPATH above it": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so runpath= needed=libb.so
		lib /opt/libb.so
		lib /lib/libb.so`,
	"the cache and an inherited RPATH": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so needed=libb.so
		lib /opt/libb.so
		lib /cached/libb.so
		text /etc/ld.so.conf /cached
		ldconfig`,
	"another class in RUNPATH and the right one in the cache": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so m32
		lib /cached/liba.so
		lib /lib/liba.so
		text /etc/ld.so.conf /cached
		ldconfig`,
	"both classes in the cache": `
		exe /bin/main needed=liba.so.1
		lib /narrow/liba.so.1 soname=liba.so.1 m32 needed=libc.so.6
		lib /wide/liba.so.1 soname=liba.so.1
		text /etc/ld.so.conf /narrow /wide
		ldconfig`,
	"a cache entry that became one of another class": `
		exe /bin/main needed=liba.so
		lib /cached/liba.so
		text /etc/ld.so.conf /cached
		ldconfig
		remove /cached/liba.so
		lib /cached/liba.so m32
		lib /lib/liba.so`,
	"another machine in LD_LIBRARY_PATH, and RPATH before it": `
		env LD_LIBRARY_PATH=/env
		exe /bin/main runpath=/opt needed=liba.so,libb.so
		lib /env/liba.so arm64
		lib /opt/liba.so
		lib /env/libb.so arm64
		lib /lib/libb.so`,
	"another byte order and machine": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/liba.so msb s390x
		lib /lib/liba.so`,
	"another class by its path": `
		exe /bin/main needed=/opt/liba.so,liba.so
		lib /opt/liba.so m32
		lib /lib/liba.so`,
	"NODEFLIB of a library, and its RUNPATH into a default folder": `
		exe /bin/main needed=liba.so,libc1.so
		lib /lib/liba.so nodeflib runpath=/lib/x:/lib needed=libb.so,libd.so
		lib /lib/libb.so
		lib /usr/lib/libc1.so needed=libd.so
		lib /usr/lib/libd.so`,
	"NODEFLIB and LD_PRELOAD": `
		env LD_PRELOAD=libp.so
		env LD_LIBRARY_PATH=/env
		exe /bin/main nodeflib needed=liba.so
		lib /lib/libp.so
		lib /env/liba.so`,
	"NODEFLIB and an entry of the cache below a default folder": `
		exe /bin/main nodeflib needed=liba.so
		lib /lib/sub/liba.so
		text /etc/ld.so.conf /lib/sub
		ldconfig`,
	"NODEFLIB and RPATH above": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so nodeflib needed=libb.so,libd.so
		lib /opt/libb.so
		lib /lib/libd.so`,
	"LD_PRELOAD answers for a soname": `
		env LD_PRELOAD=/opt/mine.so
		exe /bin/main needed=liba.so.1
		lib /opt/mine.so soname=liba.so.1 runpath=/opt needed=libq.so
		lib /opt/libq.so
		lib /lib/liba.so.1`,
	"LD_PRELOAD of another class": `
		env LD_PRELOAD=libp.so
		env LD_LIBRARY_PATH=/env
		exe /bin/main needed=liba.so
		lib /env/libp.so m32
		lib /lib/libp.so
		lib /lib/liba.so`,
	"LD_PRELOAD with tokens, and a filter": `
		env LD_PRELOAD=/opt/$LIB/libp.so:/opt/${PLATFORM}/libq.so
		exe /bin/main needed=liba.so
		lib /opt/lib/x86_64-linux-gnu/libp.so aux=libx.so
		lib /lib/liba.so
		lib /lib/libx.so`,
	"ld.so.preload and what LD_PRELOAD brought": `
		env LD_PRELOAD=/opt/libp.so
		text /etc/ld.so.preload libr.so.1 /opt/libp.so
		exe /bin/main needed=libr.so.1
		lib /opt/libp.so soname=libr.so.1
		lib /lib/libr.so.1`,
	"a filtee by the RPATH of its filter": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so rpath=$ORIGIN/f filter=libx.so
		lib /lib/f/libx.so needed=liby.so
		lib /lib/f/liby.so`,
	"a filtee of another class": `
		exe /bin/main needed=liba.so
		lib /lib/liba.so runpath=/opt aux=libx.so
		lib /opt/libx.so m32
		lib /usr/lib/libx.so`,
	"a filtee that needs its filter": `
		exe /bin/main needed=liba.so,libb.so
		lib /lib/liba.so aux=libx.so needed=libb.so
		lib /lib/libx.so needed=liba.so,libq.so
		lib /lib/libb.so
		lib /lib/libq.so`,
	"a filtee by its path, known by its soname": `
		exe /bin/main needed=libx.so.1,liba.so
		lib /lib/liba.so aux=/opt/libx.so,$ORIGIN/liby.so
		lib /opt/libx.so soname=libx.so.1
		lib /lib/libx.so.1
		lib /lib/liby.so`,
	"a path through a link and a name": `
		exe /bin/main runpath=/opt/link:/opt/real needed=liba.so,/opt/real/liba.so,libb.so
		link /opt/link real
		lib /opt/real/liba.so needed=libb.so
		lib /opt/real/libb.so`,
	"a soname that is a path": `
		exe /bin/main needed=/opt/liba.so,libb.so
		lib /opt/liba.so soname=/opt/other.so
		lib /lib/libb.so needed=/opt/other.so
		lib /opt/other.so`,
	"a path that is not there, and the same name elsewhere": `
		exe /bin/main needed=/opt/liba.so,libb.so
		lib /lib/libb.so needed=liba.so,/opt/liba.so
		lib /lib/liba.so`,
	"tokens in NEEDED and the ORIGIN of the asker": `
		exe /bin/main needed=/opt/sub/liba.so
		lib /opt/sub/liba.so needed=$ORIGIN/libb.so,${ORIGIN}/../libd.so
		lib /opt/sub/libb.so
		lib /opt/libd.so`,
	"ORIGIN of the root": `
		exe /main runpath=$ORIGIN needed=liba.so
		link /bin/main ../main
		lib /liba.so
		lib /bin/liba.so`,
	"cycles through RPATH, missing at the end": `
		exe /bin/main rpath=/opt needed=liba.so
		lib /opt/liba.so needed=libb.so
		lib /opt/libb.so rpath=/opt2 needed=liba.so,libd.so
		lib /opt2/libd.so needed=libb.so,libgone.so
		lib /opt2/liba.so`,
	"a link in a circle ends its path and no more": `
		exe /bin/main runpath=/opt:/opt2 needed=liba.so,libb.so
		link /opt/liba.so liba.so
		lib /opt2/liba.so
		lib /lib/liba.so
		link /opt/libb.so liba.so
		lib /opt2/libb.so`,
	"a link through a file ends its path": `
		exe /bin/main runpath=/opt:/opt2 needed=liba.so
		text /opt/file x
		link /opt/liba.so file/liba.so
		lib /opt2/liba.so
		lib /usr/lib/liba.so`,
	"a link in a circle, in two paths": `
		env LD_LIBRARY_PATH=/env:/none
		exe /bin/main runpath=/none:/opt2 needed=liba.so
		link /env/liba.so liba.so
		lib /opt2/liba.so`,
	"a truncated file": `
		exe /bin/main runpath=/opt needed=liba.so
		text /opt/liba.so short
		lib /lib/liba.so`,
	"hwcaps and the class": `
		exe /bin/main runpath=/opt needed=liba.so
		lib /opt/tls/liba.so m32
		lib /opt/liba.so`,
	"hwcaps folders in the cache": `
		exe /bin/main needed=liba.so.1,libb.so.1
		lib /opt/tls/liba.so.1 soname=liba.so.1
		lib /opt/liba.so.1 soname=liba.so.1
		lib /opt/libb.so.1 soname=libb.so.1
		text /etc/ld.so.conf /opt
		ldconfig`,
	"the working folder and an inherited RPATH": `
		exe /bin/main rpath=: needed=liba.so
		lib /liba.so needed=libb.so
		lib /libb.so`,
	"RPATH of the program for what a preload needs": `
		env LD_PRELOAD=/pre/libp.so
		exe /bin/main rpath=/opt needed=liba.so
		lib /pre/libp.so needed=libq.so
		lib /opt/libq.so
		lib /lib/liba.so`,
	"a second time under the soname of a missing library": `
		exe /bin/main needed=libgone.so,liba.so
		lib /lib/liba.so soname=libgone.so
		lib /usr/lib/libb.so needed=libgone.so`,
}
