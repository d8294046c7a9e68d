/** What is dangerous asks who it is when the last proof is more than ten minutes old: declined twice, then proved. */
import type { World } from './world.ts'

const TITLE = 'Is it you?'
const TURNS = ['Cancel', 'Close', 'Confirm'] as const

/** Presses what is dangerous until it is done, whether the proof is asked or not. */
export async function dangerous(world: World, password: string, press: () => Promise<void>): Promise<void> {
  const { page, button, dialog } = world
  const notices = page.getByRole('alertdialog')
  for (const turn of TURNS) {
    await press()
    // One of them comes; the dialog that was pressed in may be gone by then.
    await dialog(TITLE).or(notices).first().waitFor()
    if (!(await dialog(TITLE).isVisible())) return
    if (turn === 'Confirm') await page.getByLabel('Your password').fill(password)
    await button(turn, dialog(TITLE)).click()
    await dialog(TITLE).waitFor({ state: 'detached' })
  }
}
