import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import { version } from './package.json' with { type: 'json' };

/** Entries that run outside the window, each a file of its own in dist/main. */
const processes = {
  main: 'electron/shell/main.ts',
  cli: 'electron/cli/main.ts',
  worker: 'electron/worker/main.ts',
  'rar-engine': 'electron/worker/rar-engine.ts',
  cloud: 'electron/cloud/main.ts',
  fleet: 'electron/boards/fleet/main.ts',
};

export default defineConfig({
  main: {
    define: { __SLIPWAY_VERSION__: JSON.stringify(version) },
    build: {
      outDir: 'dist/main',
      target: 'node20',
      // Many small files: in one they load in half the time. Native addons and large services stay outside.
      externalizeDeps: { exclude: ['commander', 'yaml', 'zod'] },
      rollupOptions: {
        input: processes,
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunk-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'dist/preload',
      externalizeDeps: false,
      rollupOptions: {
        input: { preload: 'electron/preload/preload.ts' },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'renderer',
    plugins: [react()],
    build: {
      outDir: 'dist/renderer',
      minify: true,
      rollupOptions: { input: join(import.meta.dirname, 'renderer/index.html') },
    },
  },
});
