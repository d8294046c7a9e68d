/** Small things every answer of the stand-in is made of: a refusal, an icon, what was sent. */
import type { IncomingMessage } from 'node:http'

export interface Refusal {
  status: number
  code: string
  message: string
  next: string
}
export const refuse = (status: number, code: string, message: string, next: string): Refusal => ({
  status,
  code,
  message,
  next,
})
export const isRefusal = (it: unknown): it is Refusal =>
  typeof it === 'object' && it !== null && 'status' in it && 'next' in it

export const iconFor = (id: string) => {
  const hue = [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="11" fill="hsl(${hue} 42% 38%)"/><text x="24" y="33" font-family="sans-serif" font-weight="700" font-size="24" text-anchor="middle" fill="#fff">${id.slice(0, 1).toUpperCase()}</text></svg>`
}
export async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const piece of request) text += String(piece)
  return text ? (JSON.parse(text) as Record<string, unknown>) : {}
}
