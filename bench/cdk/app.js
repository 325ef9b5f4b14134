// What homeport.yml of bench/synth.py says, said in CDK: the same network, service, registry, build and pipeline.
const cdk = require('aws-cdk-lib');
const { aws_codebuild: codebuild, aws_codecommit: codecommit, aws_codepipeline: codepipeline } = cdk;
const { aws_codepipeline_actions: actions, aws_cloudwatch: cloudwatch, aws_ec2: ec2, aws_ecr: ecr } = cdk;
const { aws_ecs: ecs, aws_ecs_patterns: patterns, aws_logs: logs, aws_s3: s3 } = cdk;

const app = new cdk.App();
const stack = new cdk.Stack(app, 'shop');
const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 });
const repository = new ecr.Repository(stack, 'Repository', {
  imageScanOnPush: true,
  imageTagMutability: ecr.TagMutability.IMMUTABLE,
  lifecycleRules: [{ maxImageCount: 20 }],
});
const cluster = new ecs.Cluster(stack, 'Cluster', { vpc });
const source = new codecommit.Repository(stack, 'Source', { repositoryName: 'shop' });
const project = new codebuild.PipelineProject(stack, 'Build', {
  vpc,
  environment: { buildImage: codebuild.LinuxBuildImage.STANDARD_7_0, privileged: true },
  logging: { cloudWatch: { logGroup: new logs.LogGroup(stack, 'BuildLogs', { retention: 30 }) } },
});
repository.grantPullPush(project);

const from = new codepipeline.Artifact();
const built = new codepipeline.Artifact();
const stages = [
  {
    stageName: 'Source',
    actions: [new actions.CodeCommitSourceAction({ actionName: 'Source', repository: source, branch: 'main', output: from })],
  },
  {
    stageName: 'Build',
    actions: [new actions.CodeBuildAction({ actionName: 'Build', project, input: from, outputs: [built] })],
  },
];
for (const name of ['staging', 'production']) {
  const web = new patterns.ApplicationLoadBalancedFargateService(stack, name, {
    cluster,
    cpu: 256,
    memoryLimitMiB: 512,
    desiredCount: 2,
    circuitBreaker: { rollback: true },
    minHealthyPercent: 100,
    taskImageOptions: { image: ecs.ContainerImage.fromEcrRepository(repository), containerPort: 80 },
  });
  web.service.autoScaleTaskCount({ minCapacity: 2, maxCapacity: 10 }).scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 60 });
  web.loadBalancer.metrics
    .httpCodeTarget(cdk.aws_elasticloadbalancingv2.HttpCodeTarget.TARGET_5XX_COUNT)
    .createAlarm(stack, `${name}Errors`, { threshold: 10, evaluationPeriods: 1 });
  const deploy = new actions.EcsDeployAction({ actionName: 'Deploy', service: web.service, input: built, runOrder: 2 });
  const approve = new actions.ManualApprovalAction({ actionName: 'Approve', runOrder: 1 });
  stages.push({ stageName: name, actions: name === 'production' ? [approve, deploy] : [deploy] });
}
const artifactBucket = new s3.Bucket(stack, 'Artifacts', {
  encryption: s3.BucketEncryption.S3_MANAGED,
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  versioned: true,
  lifecycleRules: [{ expiration: cdk.Duration.days(30) }],
});
new codepipeline.Pipeline(stack, 'Pipeline', {
  artifactBucket,
  pipelineType: codepipeline.PipelineType.V2,
  usePipelineRoleForActions: true,
  stages,
});
