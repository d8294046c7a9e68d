/** A page that was open during an update: its files are gone from the server, so it is loaded afresh, once for each update. */

const ASK_MS = 10_000
const MARK = 'loaded-afresh-from'

const ownScript = () => document.querySelector('script[type="module"][src]')?.getAttribute('src') ?? null

/** Another page is served than the one that runs here. A server that is away, or one file that fails, is no update. */
async function wasUpdated(script: string): Promise<boolean> {
  const answer = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(ASK_MS) })
  return answer.ok && !(await answer.text()).includes(script)
}

/** Of one page once: a server that serves pages and files of two releases must not make it go round. */
function isFirstTime(script: string): boolean {
  try {
    if (sessionStorage.getItem(MARK) === script) return false
    sessionStorage.setItem(MARK, script)
    return true
  } catch {
    // A browser that keeps nothing: the page says that it could not be loaded, with a button to try again.
    return false
  }
}

export function reloadAfterUpdate(): void {
  window.addEventListener('vite:preloadError', () => {
    const script = ownScript()
    if (!script) return
    wasUpdated(script).then(
      (updated) => {
        if (updated && isFirstTime(script)) location.reload()
      },
      // Nobody answers now: the page says so itself.
      () => undefined,
    )
  })
}
