/** Keeps a list of everything on the visited screens that can be pressed, and of what was: so that no button is forgotten. */
import type { BrowserContext } from 'playwright-core'

export interface Control {
  /** Address (ids left out), dialog, menu, notice or frame that it stands in. */
  where: string
  /** The address, or the door, that was shown when it was seen. */
  screen: string
  /** How it is read aloud, with the names of things left out. */
  name: string
  pressed: boolean
}
/** What a button is called only for the moment in which it says that it is done. */
const PASSING = ['Copied']
type Told = (where: string, screen: string, name: string, pressed: boolean) => void

/** Runs in the page. Everything it needs stands inside, because its text is what is sent there. */
function watch(): void {
  const tell = (window as unknown as { kalnetControl: Told }).kalnetControl
  const PRESSABLE =
    'a[href], button, summary, [role="button"], [role="menuitem"], input[type="radio"], input[type="checkbox"]'
  const told = new Set<string>()
  const textOf = (it: Element | null | undefined): string => {
    const copy = it?.cloneNode(true) as Element | undefined
    for (const silent of copy?.querySelectorAll('[aria-hidden="true"]') ?? []) silent.remove()
    return copy?.textContent?.replace(/\s+/g, ' ').trim() ?? ''
  }
  /** Of a list whose lines are pressed as a whole, one line is like another. */
  const lineOf = (it: Element) => {
    const line = it.closest('ul[aria-label] > li')
    return line && line.children.length === 1 && line.firstElementChild === it ? 'a line' : null
  }
  const nameOf = (it: Element) =>
    lineOf(it) ??
    it.getAttribute('aria-label') ??
    textOf(it instanceof HTMLInputElement ? it.closest('label') : it)
  /** Pages before the house stand alone, with nothing around them, at whatever address. */
  const screenOf = () => {
    const alone = !document.querySelector('header:not(main header)') && !location.pathname.startsWith('/s/')
    const title = document.querySelector('main h1')
    return alone && title ? `door ${textOf(title)}` : location.pathname
  }
  const whereOf = (it: Element): string => {
    const box = it.closest('[role="menu"], [role="alertdialog"], [role="dialog"]')
    if (box?.role === 'alertdialog') return 'notice'
    if (box) return `${box.role} ${box.getAttribute('aria-label') ?? textOf(box.querySelector('h2'))}`
    const tabs = it.closest('main nav')
    if (tabs) return `tabs ${tabs.getAttribute('aria-label')}`
    return it.closest('main') ? screenOf() : 'frame'
  }
  const tellOf = (it: Element, pressed: boolean) => {
    const [where, name] = [whereOf(it), nameOf(it)]
    const key = `${where}\n${name}\n${pressed}`
    if (told.has(key)) return
    told.add(key)
    tell(where, screenOf(), name, pressed)
  }
  const usable = (it: Element) =>
    it.checkVisibility({ visibilityProperty: true }) &&
    !it.matches(':disabled, [aria-disabled="true"]') &&
    !it.closest('[inert], [aria-hidden="true"]')
  let waiting = false
  const look = () => {
    waiting = false
    for (const it of document.querySelectorAll(PRESSABLE)) if (usable(it)) tellOf(it, false)
  }
  const press = (event: Event) => {
    if (event instanceof KeyboardEvent && event.key !== 'Enter' && event.key !== ' ') return
    const at = event.target instanceof Element ? event.target : null
    const it = at?.closest(PRESSABLE) ?? at?.closest('label')?.querySelector(PRESSABLE)
    if (it && usable(it)) tellOf(it, true)
  }
  for (const kind of ['pointerdown', 'click', 'keydown']) addEventListener(kind, press, { capture: true })
  new MutationObserver(() => {
    if (waiting) return
    waiting = true
    setTimeout(look, 20)
  }).observe(document, { childList: true, subtree: true, attributes: true })
}

export function createControls() {
  const told = new Map<string, Control>()
  return {
    /** From now on, everything that this browser's pages show and are asked. */
    async follow(context: BrowserContext): Promise<void> {
      await context.exposeBinding(
        'kalnetControl',
        (_source, where: string, screen: string, name: string, pressed: boolean) => {
          const key = `${where}\n${name}`
          const before = told.get(key)
          told.set(key, {
            where,
            screen: before?.screen ?? screen,
            name,
            pressed: pressed || before?.pressed === true,
          })
        },
      )
      await context.addInitScript(watch)
    },
    /** `things` are names that people gave: what carries one of them counts once, whatever it is called. */
    list(things: readonly string[]): Control[] {
      const longestFirst = [...things].sort((one, other) => other.length - one.length)
      const plain = (text: string) =>
        longestFirst
          .reduce((kept, thing) => kept.replaceAll(thing, '…'), text)
          .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
          // The tabs of one service: what stands above them is on each.
          .replace(/^(\/services\/…)\/[a-z]+$/, '$1')
      const kinds = new Map<string, Control>()
      for (const it of told.values()) {
        const [where, screen, name] = [plain(it.where), plain(it.screen), plain(it.name)]
        const key = `${where}\n${name}`
        kinds.set(key, { where, screen, name, pressed: it.pressed || kinds.get(key)?.pressed === true })
      }
      return [...kinds.values()].filter(({ name }) => !PASSING.includes(name))
    },
  }
}
