{
  "variables": {
    "libtorch_include%": "/usr/include",
    "libtorch_include_api%": "/usr/include/torch/csrc/api/include",
    "libtorch_lib%": "/usr/lib",
    "libtorch_cuda%": "0",
    "libtorch_gloo%": "0",
    "libtorch_cxx11_abi%": "1",
  },
  "targets": [
    {
      "target_name": "featmatch_native",
      "sources": ["addon.cc", "handle.cc", "dispatch.cc", "autograd.cc", "allocator.cc", "batch_norm_relu.cc", "k_means.cc", "winograd.cc", "profiler.cc", "process_group.cc", "means.cc", "sgd.cc"],
      "include_dirs": [
        "<!(node -p \"require('node-addon-api').include_dir\")",
        "<(libtorch_include)",
        "<(libtorch_include_api)",
      ],
      "defines": [
        "NAPI_VERSION=8",
        "NODE_ADDON_API_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "_GLIBCXX_USE_CXX11_ABI=<(libtorch_cxx11_abi)",
      ],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17"],
      "cflags_cc": ["-std=gnu++17", "-fexceptions", "-frtti", "-fopenmp", "-O3", "-fno-math-errno", "-fno-trapping-math", "-Wno-unused-parameter", "-Wno-sign-compare"],
      "libraries": [
        "-L<(libtorch_lib)",
        "-Wl,-rpath,<(libtorch_lib)",
        "-Wl,--no-as-needed", "-ltorch_cpu", "-lc10",
        "-fopenmp",
      ],
      "conditions": [
        ["libtorch_gloo==1", {"defines": ["FEATMATCH_GLOO"]}],
        ["libtorch_cuda==1", {"defines": ["FEATMATCH_CUDA"], "libraries": ["-ltorch_cuda", "-lc10_cuda"]}],
      ],
    }
  ]
}
