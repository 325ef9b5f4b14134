const cdk = require('aws-cdk-lib');
const codedeploy = require('aws-cdk-lib/aws-codedeploy');
const ecs = require('aws-cdk-lib/aws-ecs');
const ec2 = require('aws-cdk-lib/aws-ec2');
const elbv2 = require('aws-cdk-lib/aws-elasticloadbalancingv2');
const cloudwatch = require('aws-cdk-lib/aws-cloudwatch');

const app = new cdk.App();
const stack = new cdk.Stack(app, 'Shop', { synthesizer: new cdk.BootstraplessSynthesizer() });
const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 0, restrictDefaultSecurityGroup: false,
  subnetConfiguration: [{ name: 'public', subnetType: ec2.SubnetType.PUBLIC }] });
const cluster = new ecs.Cluster(stack, 'Cluster', { vpc });
const image = new cdk.CfnParameter(stack, 'Image');
const definition = new ecs.FargateTaskDefinition(stack, 'Definition', { cpu: 1024, memoryLimitMiB: 2048 });
definition.addContainer('app', { image: ecs.ContainerImage.fromRegistry(image.valueAsString),
  portMappings: [{ containerPort: 8080 }], stopTimeout: cdk.Duration.seconds(2),
  command: ['sh', '-c', 'mkdir -p /tmp/www; cd /tmp/www; echo -n v1 > index.html; exec httpd -f -p 8080 -h /tmp/www'] });
const service = new ecs.FargateService(stack, 'Service', { cluster, taskDefinition: definition, desiredCount: 1,
  assignPublicIp: true, deploymentController: { type: ecs.DeploymentControllerType.CODE_DEPLOY } });
const balancer = new elbv2.ApplicationLoadBalancer(stack, 'Balancer', { vpc, internetFacing: true });
const group = (id) => new elbv2.ApplicationTargetGroup(stack, id, { vpc, port: 8080, targetType: elbv2.TargetType.IP,
  protocol: elbv2.ApplicationProtocol.HTTP,
  deregistrationDelay: cdk.Duration.seconds(1),
  healthCheck: { interval: cdk.Duration.seconds(5), timeout: cdk.Duration.seconds(2) } });
const blue = group('Blue'); const green = group('Green');
const production = balancer.addListener('Production', { port: 80, protocol: elbv2.ApplicationProtocol.HTTP, defaultTargetGroups: [blue] });
const test = balancer.addListener('Test', { port: 8081, protocol: elbv2.ApplicationProtocol.HTTP, defaultTargetGroups: [blue] });
service.attachToApplicationTargetGroup(blue);
const config = new codedeploy.EcsDeploymentConfig(stack, 'Config', {
  trafficRouting: codedeploy.TrafficRouting.timeBasedCanary({ interval: cdk.Duration.minutes(1), percentage: 20 }) });
const deployment = new codedeploy.EcsDeploymentGroup(stack, 'Deployments', {
  application: new codedeploy.EcsApplication(stack, 'Application'),
  service, deploymentConfig: config,
  alarms: [new cloudwatch.Alarm(stack, 'Errors', { metric: balancer.metrics.httpCodeTarget(elbv2.HttpCodeTarget.TARGET_5XX_COUNT), threshold: 5, evaluationPeriods: 1 })],
  autoRollback: { stoppedDeployment: true, deploymentInAlarm: true },
  blueGreenDeploymentConfig: { blueTargetGroup: blue, greenTargetGroup: green, listener: production, testListener: test,
    terminationWaitTime: cdk.Duration.minutes(0) },
});
new cdk.CfnOutput(stack, 'Group', { value: deployment.deploymentGroupName });
new cdk.CfnOutput(stack, 'ApplicationName', { value: deployment.application.applicationName });
new cdk.CfnOutput(stack, 'ServiceName', { value: service.serviceName });
new cdk.CfnOutput(stack, 'ClusterName', { value: cluster.clusterName });
app.synth();
