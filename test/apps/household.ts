/** For the tests with real apps: our provider with the real dashboard before it, and a browser in which a person is signed in. */
import { buildInto } from '@kalnet/dashboard/testing'
import { type AppServer, appServer } from '@kalnet/server/testing/apps'
import { openBrowser } from '../support/browser.ts'

export interface Household {
  server: AppServer
  owner: Awaited<ReturnType<AppServer['person']>>
  /** A browser of a person; without: of nobody. */
  browser(secret?: string): ReturnType<typeof openBrowser>
  end(): Promise<void>
}

export async function startHousehold(): Promise<Household> {
  const built = await buildInto('production')
  const server = await appServer({ dashboardFolder: built.folder })
  const watching = new AbortController()
  server.apps.watch(watching.signal)
  const owner = await server.person('owner')
  const open: Awaited<ReturnType<typeof openBrowser>>[] = []
  return {
    server,
    owner,
    async browser(secret) {
      const it = await openBrowser()
      open.push(it)
      if (secret)
        await it.context.addCookies([
          { name: 'kalnet', value: secret, url: server.origin, httpOnly: true, sameSite: 'Strict' },
        ])
      return it
    },
    async end() {
      for (const it of open) await it.close()
      watching.abort(new Error('the test is over'))
      await server.end()
      await built.remove()
    },
  }
}
