const cdk = require('aws-cdk-lib');
const s3 = require('aws-cdk-lib/aws-s3');
const sns = require('aws-cdk-lib/aws-sns');
const ssm = require('aws-cdk-lib/aws-ssm');
const assets = require('aws-cdk-lib/aws-s3-assets');
const images = require('aws-cdk-lib/aws-ecr-assets');

const app = new cdk.App();
const env = { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION };
const stack = new cdk.Stack(app, 'Small', { env });
const bucket = new s3.Bucket(stack, 'Bucket', { versioned: true, removalPolicy: cdk.RemovalPolicy.DESTROY });
new sns.Topic(stack, 'Topic');
const file = new assets.Asset(stack, 'File', { path: __filename });
new ssm.StringParameter(stack, 'Where', { parameterName: '/small/where', stringValue: file.s3ObjectUrl });
const image = new images.DockerImageAsset(stack, 'Image', { directory: `${__dirname}/image` });
new ssm.StringParameter(stack, 'Built', { parameterName: '/small/image', stringValue: image.imageUri });
new cdk.CfnOutput(stack, 'Name', { value: bucket.bucketName });
app.synth();
