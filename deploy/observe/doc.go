// Package observe has tests only: that every alert of the chart fires when it should and does not when it should not, by Prometheus's own
// rule engine; that dashboards and alerts use no metric that the services do not show; and that the files of deploy/compose are what
// Docker Compose, Prometheus and the OpenTelemetry collector take, by their own readers. It is a module of its own, outside of the
// workspace, because the dependencies of these would move those of the services.
package observe
