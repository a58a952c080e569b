// npx vite examples/browser            to try it
// npx vite build examples/browser      static files in examples/browser/dist, for any web server
import { fileURLToPath } from 'node:url';

/** With these, WebAssembly may use more than one thread; a server of the static files should send them too. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default {
  base: './',
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
  // In a project of your own: npm install featmatch, and no alias.
  resolve: {
    alias: {
      'featmatch/infer/browser': fileURLToPath(new URL('../../dist/infer/browser/index.js', import.meta.url)),
    },
  },
  optimizeDeps: { exclude: ['onnxruntime-web'] }, // it finds its .wasm files beside itself
  server: { headers },
  preview: { headers },
};
