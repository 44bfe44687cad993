// Kernels that take SMs for a set time, and empty kernels.
#include <cuda_runtime.h>
#include <stdint.h>
__device__ __forceinline__ unsigned long long now_ns() { unsigned long long t; asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t)); return t; }
__device__ __forceinline__ int smid() { int s; asm volatile("mov.u32 %0, %%smid;" : "=r"(s)); return s; }
__global__ void k_empty() {}
__global__ void k_empty_pdl() {
#if __CUDA_ARCH__ >= 900
  cudaTriggerProgrammaticLaunchCompletion();
  cudaGridDependencySynchronize();
#endif
}
__global__ void __launch_bounds__(512) k_spin(volatile int* stop, volatile int* slot, unsigned long long max_ns) {
  if (threadIdx.x == 0) {
    slot[blockIdx.x] = smid() + 1;
    __threadfence_system();
    unsigned long long t0 = now_ns();
    while (!*stop) { __nanosleep(2000); if (now_ns() - t0 > max_ns) break; }
  }
  __syncthreads();
}
__global__ void __launch_bounds__(512) k_stream(volatile int* stop, volatile int* slot, unsigned long long max_ns,
    const uint4* __restrict__ a, const uint4* __restrict__ b, uint4* __restrict__ c, size_t nvec, unsigned long long* done_ns) {
  extern __shared__ int sm[];
  const int U = 4;
  size_t base = (size_t)blockIdx.x * 512 * U + threadIdx.x, stride = (size_t)gridDim.x * 512 * U, i = base;
  unsigned long long t0 = now_ns(), done = 0;
  if (threadIdx.x == 0) { slot[blockIdx.x] = smid() + 1; __threadfence_system(); }
  for (;;) {
    for (int it = 0; it < 16; ++it) {
      uint4 x[U], y[U];
#pragma unroll
      for (int u = 0; u < U; ++u) x[u] = __ldcs(a + i + u * 512);
#pragma unroll
      for (int u = 0; u < U; ++u) y[u] = __ldcs(b + i + u * 512);
#pragma unroll
      for (int u = 0; u < U; ++u) {
        uint4 z; z.x = x[u].x + y[u].x; z.y = x[u].y + y[u].y; z.z = x[u].z + y[u].z; z.w = x[u].w + y[u].w;
        __stcs(c + i + u * 512, z);
      }
      i += stride;
      if (i + (U - 1) * 512 >= nvec) i = base;
    }
    done += 16 * U * 512;
    __syncthreads();
    if (threadIdx.x == 0) sm[0] = *stop || now_ns() - t0 > max_ns;
    __syncthreads();
    if (sm[0]) break;
  }
  if (threadIdx.x == 0) { done_ns[2 * blockIdx.x] = done; done_ns[2 * blockIdx.x + 1] = now_ns() - t0; }
}
extern "C" {
int setup(int smem) {
  int e = cudaFuncSetAttribute(k_spin, cudaFuncAttributeMaxDynamicSharedMemorySize, smem);
  if (e) return e;
  return cudaFuncSetAttribute(k_stream, cudaFuncAttributeMaxDynamicSharedMemorySize, smem);
}
int empty_n(int n, int blocks, int threads, void* s) {
  for (int i = 0; i < n; ++i) k_empty<<<blocks, threads, 0, (cudaStream_t)s>>>();
  return cudaGetLastError();
}
int empty_pdl_n(int n, int blocks, int threads, void* s) {
  cudaLaunchAttribute at[1]; at[0].id = cudaLaunchAttributeProgrammaticStreamSerialization; at[0].val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t c = {}; c.gridDim = dim3(blocks); c.blockDim = dim3(threads); c.stream = (cudaStream_t)s; c.attrs = at; c.numAttrs = 1;
  int e = 0;
  for (int i = 0; i < n && !e; ++i) e = cudaLaunchKernelEx(&c, k_empty_pdl);
  return e ? e : cudaGetLastError();
}
int spin(int blocks, int smem, void* stop, void* slot, unsigned long long max_ns, void* s) {
  k_spin<<<blocks, 512, smem, (cudaStream_t)s>>>((volatile int*)stop, (volatile int*)slot, max_ns);
  return cudaGetLastError();
}
int stream_mem(int blocks, int smem, void* stop, void* slot, unsigned long long max_ns, void* a, void* b, void* c, unsigned long long nvec, void* done, void* s) {
  k_stream<<<blocks, 512, smem, (cudaStream_t)s>>>((volatile int*)stop, (volatile int*)slot, max_ns, (const uint4*)a, (const uint4*)b, (uint4*)c, nvec, (unsigned long long*)done);
  return cudaGetLastError();
}
}
