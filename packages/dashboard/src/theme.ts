/** Dark, light, or as the system is. public/theme.js reads the same place before the first paint. */
export type Look = 'auto' | 'light' | 'dark'
const PLACE = 'kalnet.look'

export function readLook(): Look {
  const look = document.documentElement.dataset.look
  return look === 'light' || look === 'dark' ? look : 'auto'
}

export function chooseLook(look: Look): void {
  if (look === 'auto') delete document.documentElement.dataset.look
  else document.documentElement.dataset.look = look
  try {
    if (look === 'auto') localStorage.removeItem(PLACE)
    else localStorage.setItem(PLACE, look)
  } catch {
    // Storage may be switched off: the look then lasts as long as this page does.
    return
  }
}
