/** react-aria ships its own texts in 34 languages; we speak the ones our message catalogue has. */
import type { Plugin } from 'vite'

const KEPT = ['en-US', 'de-DE']
const LOCALE_FILE =
  /[/\\](?:react-aria|react-stately|react-aria-components)[/\\].*[/\\]([a-z]{2}-[A-Z]{2})\.m?js$/

export function fewLocales(): Plugin {
  return {
    name: 'kalnet:few-locales',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      const locale = LOCALE_FILE.exec(id)?.[1]
      return locale && !KEPT.includes(locale) ? 'export default {}' : undefined
    },
  }
}
