/** How the dashboard is built: small first load, no zod in the bundle, strict-CSP-safe output. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { compressed } from './build/compressed.ts'
import { fewLocales } from './build/few-locales.ts'
import { layerOrder } from './build/layer-order.ts'
import { sharedFiles } from './build/shared.ts'
import { virtualContracts } from './build/virtual-contracts.ts'
import { standIn } from './dev/vite-plugin.ts'

export default defineConfig(({ command }) => ({
  base: '/',
  plugins: [
    react(),
    virtualContracts(),
    fewLocales(),
    layerOrder(),
    compressed(),
    command === 'serve' && standIn(),
  ],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    manifest: true,
    // Small files stay files: the content security policy lets no data: script or style through.
    assetsInlineLimit: 0,
    // One request less and no inline helper; browsers that run this know modulepreload.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    cssCodeSplit: true,
    rolldownOptions: {
      output: {
        // What nearly every page needs (and all that it needs itself) in one file, instead of forty crumbs of 200 bytes.
        codeSplitting: { groups: sharedFiles() },
      },
    },
  },
  css: { modules: { generateScopedName: '[local]_[hash:base64:5]' } },
}))
