package elftest

// BaselineCPU is an environment variable that makes glibc's linker on amd64
// judge as on a CPU of the baseline, whatever the CPU of this machine: without
// AVX2 its platform is not "haswell", without AVX512CD it has no avx512_1
// (glibc, sysdeps/x86/cpu-features.c, init_cpu_features). Before glibc 2.33 the
// names end in _Usable; glibc ignores the names that it does not know.
const BaselineCPU = "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-AVX512CD,-AVX512CD_Usable"
