/** What a page complains about while it is used: thrown errors, console errors, refusals of the content security policy. */
import type { BrowserContext, Page } from 'playwright-core'

/** The browser itself prints each answer that is not 2xx and each socket that does not open; journeys make those happen. */
const EXPECTED =
  /^Failed to load resource: (the server responded|net::ERR)|^WebSocket connection to|^Failed when connecting/

export function collectComplaints(context: BrowserContext): string[] {
  const complaints: string[] = []
  const listen = (page: Page) => {
    page.on('pageerror', (problem) => complaints.push(problem.message))
    // Our own files always come; what leaving a page cuts off is no failure.
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText
      if (request.url().includes('/assets/') && reason !== 'net::ERR_ABORTED')
        complaints.push(`${request.url()}: ${reason}`)
    })
    page.on('response', (answer) => {
      if (answer.url().includes('/assets/') && answer.status() >= 400)
        complaints.push(`${answer.url()}: ${answer.status()}`)
    })
    page.on('console', (message) => {
      const loud = message.type() === 'error' || /content security policy/i.test(message.text())
      if (loud && !EXPECTED.test(message.text())) complaints.push(message.text())
    })
  }
  for (const page of context.pages()) listen(page)
  context.on('page', listen)
  return complaints
}
