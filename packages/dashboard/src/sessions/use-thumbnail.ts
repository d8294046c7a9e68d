/** A live small picture of a screen: asked for only while it is looked at, at most once in 10 s. */
import { useQuery } from '@tanstack/react-query'
import { type RefObject, useEffect, useState } from 'react'
import { call, ROUTES } from '../api.ts'

const EVERY_MS = 10_000

/** Is the element on screen, and the page in front? */
function useSeen(place: RefObject<Element | null>): boolean {
  const [near, setNear] = useState(false)
  const [front, setFront] = useState(!document.hidden)
  useEffect(() => {
    const watcher = new IntersectionObserver((entries) => setNear(entries.some((it) => it.isIntersecting)))
    if (place.current) watcher.observe(place.current)
    const look = () => setFront(!document.hidden)
    document.addEventListener('visibilitychange', look)
    return () => {
      watcher.disconnect()
      document.removeEventListener('visibilitychange', look)
    }
  }, [place])
  return near && front
}

/** An address for an <img>, or null while there is no picture. The last picture stays when a newer one fails. */
export function useThumbnail(id: string, running: boolean, place: RefObject<Element | null>): string | null {
  const seen = useSeen(place)
  const { data } = useQuery({
    queryKey: ['thumbnail', id],
    enabled: running && seen,
    staleTime: EVERY_MS,
    refetchInterval: EVERY_MS,
    retry: false,
    gcTime: 60_000,
    queryFn: ({ signal }) => call(ROUTES.sessions.thumbnail, { params: { id }, signal }),
  })
  return data?.png ? `data:image/png;base64,${data.png}` : null
}
