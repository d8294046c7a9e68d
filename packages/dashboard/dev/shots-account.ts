/** Pictures of the ways in and of one's own account. */
import type { Page } from 'playwright-core'
import { RIGHT_CODE, RIGHT_PASSWORD } from './account-stand-in.ts'
import type { Shot } from './shots.ts'

const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
async function signIn(page: Page, password: string) {
  await page.getByLabel('E-mail').fill('ada@example.org')
  await page.getByLabel('Password').fill(password)
  await press(page, 'Sign in')
}
async function toSecondFactor(page: Page) {
  await signIn(page, RIGHT_PASSWORD)
  await heading('One more step')(page)
}
const setUpTotp = async (page: Page) => {
  await press(page, 'Set up')
  await page.getByRole('img', { name: 'Picture to scan' }).waitFor()
}
const NARROW_AND_DESK = [390, 1440]

export const ACCOUNT_SHOTS: Shot[] = [
  {
    name: 'sign-in-throttled',
    world: 'signed-out',
    path: '/',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await signIn(page, 'too often')
      await page.getByText('You can try again in').waitFor()
    },
  },
  { name: 'second-factor', world: 'signed-out', door: { second: true }, path: '/', ready: toSecondFactor },
  {
    name: 'second-factor-wrong',
    world: 'signed-out',
    door: { second: true },
    path: '/',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await toSecondFactor(page)
      await page.getByLabel('Six digits').fill('000000')
      await page.getByText('4 tries are left').waitFor()
    },
  },
  {
    name: 'second-factor-recovery',
    world: 'signed-out',
    door: { second: true },
    path: '/',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await toSecondFactor(page)
      await press(page, 'Use a recovery code')
      await page.getByLabel('Recovery code').waitFor()
    },
  },
  {
    name: 'second-factor-passkey',
    world: 'signed-out',
    door: { second: true },
    path: '/',
    widths: [390],
    ready: async (page) => {
      await toSecondFactor(page)
      await press(page, 'Use a passkey')
      await page.getByText('fingerprint, face or PIN').waitFor()
    },
  },
  {
    name: 'forgot',
    world: 'signed-out',
    door: { mail: true },
    path: '/',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await press(page, 'Forgot your password?')
      await page.getByRole('button', { name: 'Send the link' }).waitFor()
    },
  },
  {
    name: 'forgot-sent',
    world: 'signed-out',
    door: { mail: true },
    path: '/',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await press(page, 'Forgot your password?')
      await page.getByLabel('E-mail').fill('ada@example.org')
      await press(page, 'Send the link')
      await heading('Look into your mail')(page)
    },
  },
  {
    name: 'forgot-no-mail',
    world: 'signed-out',
    path: '/',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await press(page, 'Forgot your password?')
      await page.getByText('sends no mail').waitFor()
    },
  },
  {
    name: 'new-password',
    world: 'signed-out',
    path: '/reset#token',
    widths: NARROW_AND_DESK,
    ready: heading('Choose a new password'),
  },
  {
    name: 'new-password-old-link',
    world: 'signed-out',
    path: '/reset#old',
    widths: [390],
    ready: async (page) => {
      await page.getByLabel('New password').fill(RIGHT_PASSWORD)
      await press(page, 'Take this password')
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'second-way',
    world: 'usual',
    door: { unproved: true },
    path: '/',
    ready: async (page) => {
      await heading('A second way')(page)
      await page.getByText('An authenticator app').waitFor()
    },
  },
  {
    name: 'second-way-codes',
    world: 'usual',
    door: { unproved: true },
    path: '/',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await page.getByRole('button', { name: 'An authenticator app' }).click()
      await page.getByLabel('Six digits').fill(RIGHT_CODE)
      await heading('Keep these codes safe')(page)
    },
  },
  {
    name: 'account',
    world: 'usual',
    door: { guarded: true },
    path: '/settings',
    ready: async (page) => {
      await page.getByText('Key on the ring').waitFor()
      await page.getByText('Safari on iPhone').waitFor()
    },
  },
  {
    name: 'account-long',
    world: 'long',
    door: { guarded: true, passkeys: false },
    path: '/settings',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await page.getByText('Key on the ring').waitFor()
      await page.getByText('Samsung Internet').waitFor()
    },
  },
  { name: 'account-totp', world: 'usual', path: '/settings', ready: setUpTotp },
  {
    name: 'account-codes',
    world: 'usual',
    path: '/settings',
    ready: async (page) => {
      await setUpTotp(page)
      await page.getByLabel('Six digits').fill(RIGHT_CODE)
      await heading('Keep these codes safe')(page)
    },
  },
  {
    name: 'account-passkey',
    world: 'usual',
    path: '/settings',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await press(page, 'Add a passkey')
      await heading('Name this passkey')(page)
    },
  },
  {
    name: 'account-passkey-menu',
    world: 'usual',
    door: { guarded: true },
    path: '/settings',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Actions for Ada’s phone' }).click()
      await page.getByRole('menuitem', { name: 'Remove' }).waitFor()
    },
  },
  {
    name: 'account-others',
    world: 'usual',
    path: '/settings',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      await press(page, 'Sign out everywhere else')
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'step-up',
    world: 'usual',
    door: { guarded: true, stepUp: true },
    path: '/settings',
    ready: async (page) => {
      await press(page, 'Turn off')
      await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click()
      await heading('Is it you?')(page)
      await page.getByLabel('Your password').waitFor()
    },
  },
  {
    name: 'rules',
    world: 'usual',
    path: '/settings/sign-in-rules',
    ready: heading('Owners'),
  },
  {
    name: 'rules-change',
    world: 'usual',
    path: '/settings/sign-in-rules',
    widths: NARROW_AND_DESK,
    ready: async (page) => {
      const members = page.getByRole('group', { name: 'Members' })
      await members.getByText('Ask for a second way').click()
      await members.getByText('1 hour', { exact: true }).click()
      await members.getByText('sign in again now').waitFor()
    },
  },
]
