/** Every style sheet says the order of the layers first: whichever arrives first, the order is the same. */
import type { Plugin } from 'vite'

const ORDER = '@layer reset,tokens,ui,pages;'

export function layerOrder(): Plugin {
  return {
    name: 'kalnet:layer-order',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'asset' && file.fileName.endsWith('.css')) file.source = ORDER + String(file.source)
      }
    },
  }
}
