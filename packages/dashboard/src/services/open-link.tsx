/** Opens a service where it lives: in a tab of its own, so that the dashboard stays. */
import { ExternalLink } from 'lucide-react'
import * as m from '../messages/index.ts'
import button from '../ui/button.module.css'
import { classes } from '../ui/classes.ts'

interface OpenLinkProps {
  url: string
  title: string
  look?: 'primary' | 'soft'
}
export const OpenLink = ({ url, title, look = 'soft' }: OpenLinkProps) => (
  <a
    href={url}
    target="_blank"
    rel="noreferrer noopener"
    className={classes(button.button, button[look])}
    aria-label={m.serviceOpenNamed(title)}
  >
    <ExternalLink aria-hidden />
    {m.serviceOpen}
  </a>
)
/** As people say it: without the scheme, and without a lone slash. */
export const shortAddress = (url: string) => url.replace(/^https?:\/\//, '').replace(/\/$/, '')
