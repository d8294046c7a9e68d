/** A page whose device holds passkeys and shows one when it is asked, while the finger is on the reader. */
import type { Page } from 'playwright-core'

/** In the page: notes when the passkeys are offered to the e-mail field, which waits for a finger from then on. */
function note() {
  const get = CredentialsContainer.prototype.get
  CredentialsContainer.prototype.get = function (options) {
    const asked = get.call(this, options)
    if ((options?.mediation as string) === 'conditional') Object.assign(window, { kalnetOffered: true })
    return asked
  }
}

export async function holdFinger(page: Page) {
  await page.context().addInitScript(note)
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    finger: (enabled: boolean) =>
      cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
    /**
     * Until the sign-in page, loaded without a finger on, has offered them to the e-mail field. A finger that is there before that lets in
     * by itself; one that comes later waits for a press.
     */
    offered: () => page.waitForFunction(() => 'kalnetOffered' in window),
  }
}
export type Device = Awaited<ReturnType<typeof holdFinger>>
