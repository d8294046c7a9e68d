/** A window in the session that writes down every key it is sent, under a name: what arrived, not what was pressed. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '@kalnet/contracts/session'
import type { Page } from 'playwright-core'
import { eventually } from '../../support/eventually.ts'
import { textOf, type World } from './world.ts'

/** The first that fits counts, so chords stand before bare keys (X Toolkit Intrinsics, translations). */
const KEYS = [
  ['Ctrl Alt', 'Delete', 'ctrl-alt-del'],
  ['Ctrl', 'Tab', 'ctrl-tab'],
  ['Alt', 'Super_L', 'alt-super'],
  ['Alt', 'Left', 'alt-left'],
  ['Shift', 'Escape', 'shift-esc'],
  ['Mod4', 'Escape', 'super-esc'],
  ['', 'Super_L', 'super'],
  ['', 'Escape', 'esc'],
  ['', 'Tab', 'tab'],
  ['', 'Left', 'left'],
  ['', 'Up', 'up'],
  ['', 'Down', 'down'],
  ['', 'Right', 'right'],
] as const
const PASTE = 'F2'

export async function openListener({ homeOf }: World, page: Page, session: Session) {
  const home = homeOf(session)
  const lines = KEYS.map(([held, key, word]) => `  ${held} <Key>${key}: string("[${word}]") \\n\\`)
  await writeFile(
    join(home, 'listen.resources'),
    [
      'XTerm*utf8: 1',
      'XTerm*VT100.translations: #override \\n\\',
      ...lines,
      `  <Key>${PASTE}: insert-selection(CLIPBOARD)\n`,
    ].join('\n'),
    { mode: 0o644 },
  )
  await writeFile(
    join(home, 'listen.sh'),
    'XENVIRONMENT=$HOME/listen.resources exec xterm -e sh -c \'stty raw -echo; cat > "$HOME/heard"\'\n',
    { mode: 0o644 },
  )
  const screen = page.locator('[data-live="true"] canvas').first()
  const heard = () => textOf(join(home, 'heard'))
  await screen.click()
  await page.keyboard.type('sh listen.sh', { delay: 8 })
  await page.keyboard.press('Enter')
  // Its window is there when it hears something.
  await eventually('the listening window', async () => {
    await page.keyboard.type('.')
    return (await heard()).includes('.')
  })
  return {
    /** Something is done, and then the session has heard exactly this at the end. */
    async hears(text: string, act: () => Promise<unknown>): Promise<void> {
      await act()
      await eventually(`the session hears ${text} (heard: ${await heard()})`, async () =>
        (await heard()).endsWith(text),
      )
    },
    /** What the session's own clipboard holds, as a program in it gets it. */
    async pastes(text: string): Promise<void> {
      await screen.click()
      await eventually(`the session pastes ${text}`, async () => {
        await page.keyboard.press(PASTE)
        return (await heard()).includes(text)
      })
    },
    heard,
  }
}
export type Listener = Awaited<ReturnType<typeof openListener>>
